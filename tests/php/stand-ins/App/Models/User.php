<?php

namespace App\Models;

/** Staff: users that have a role. */
class User
{
    /** @var list<self> */
    public static array $staff = [];

    public function __construct(public int $id, private array $permissions = ['*']) {}

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
