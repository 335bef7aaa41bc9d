<?php

namespace Filament\Notifications;

class Notification
{
    /** @var list<array{string, string}> titles and colours of those that were sent */
    public static array $sent = [];

    private string $title = '';

    private string $color = '';

    public static function make(?string $id = null): static
    {
        return new static;
    }

    public function title($title): static
    {
        $this->title = (string) $title;

        return $this;
    }

    public function success(): static
    {
        $this->color = 'success';

        return $this;
    }

    public function danger(): static
    {
        $this->color = 'danger';

        return $this;
    }

    public function send(): static
    {
        self::$sent[] = [$this->title, $this->color];

        return $this;
    }
}
