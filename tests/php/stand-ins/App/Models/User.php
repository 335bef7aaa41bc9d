<?php

namespace App\Models;

/** Staff: users that have a role. */
class User
{
    /** @var list<self> */
    public static array $staff = [];

    /** @var list<Service> */
    public array $services = [];

    /** @var list<string> what the last save has changed */
    public array $changed = [];

    public function __construct(public int $id, private array $permissions = ['*']) {}

    public function wasChanged($attribute): bool
    {
        return in_array($attribute, $this->changed, true);
    }

    public static function whereNotNull(string $column): self
    {
        return new self(0);
    }

    /** @return list<self> */
    public function get(): array
    {
        return self::$staff;
    }

    public function hasPermission($permission): bool
    {
        return in_array('*', $this->permissions, true) || in_array($permission, $this->permissions, true);
    }
}
