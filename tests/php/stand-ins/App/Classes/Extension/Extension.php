<?php

namespace App\Classes\Extension;

use LogicException;

class Extension
{
    public function __construct(public $config = []) {}

    public function config($key)
    {
        // The original reads the database then, and takes the first server of the kind: never what an extension wants.
        if (empty($this->config)) {
            throw new LogicException('config() without settings reads those of whichever server comes first.');
        }

        return $this->config[$key] ?? null;
    }

    public function getConfig($values = [])
    {
        return [];
    }

    public function installed() {}

    public function uninstalled() {}

    public function upgraded($oldVersion = null) {}

    public function boot() {}
}
