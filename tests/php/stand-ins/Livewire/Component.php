<?php

namespace Livewire;

use Illuminate\Auth\Access\AuthorizationException;
use Illuminate\Support\MessageBag;

abstract class Component
{
    /** Whether the user who is logged in may see the service. */
    public static bool $allowed = true;

    private ?MessageBag $errors = null;

    /** Where the browser is sent. */
    public ?string $redirected = null;

    public function authorize($ability, $arguments = [])
    {
        if (! self::$allowed || $ability !== 'view') {
            throw new AuthorizationException('This action is unauthorized.');
        }
    }

    public function getErrorBag(): MessageBag
    {
        return $this->errors ??= new MessageBag;
    }

    public function addError($name, $message)
    {
        return $this->getErrorBag()->add($name, $message);
    }

    public function resetErrorBag($field = null)
    {
        $this->errors = new MessageBag;
    }

    public function redirect($url, $navigate = false)
    {
        $this->redirected = $url;
    }

    /** Makes a component a page: a route's action. */
    public function __invoke()
    {
        return $this->render();
    }
}
