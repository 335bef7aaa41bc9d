<?php

namespace App\Livewire;

class Component extends \Livewire\Component
{
    /** @var list<array{string, string}> toasts: message and type */
    public array $toasts = [];

    public function notify($message, $type = 'success', $redirect = false)
    {
        $this->toasts[] = [$message, $type];
    }
}
