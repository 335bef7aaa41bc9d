<?php

namespace Tests\Support\Paymenter;

use Illuminate\Database\Eloquent\Model;

/** A server or another extension. */
class Row extends Model
{
    protected $table = 'extensions';

    protected $guarded = [];

    public function settings()
    {
        return $this->morphMany(Setting::class, 'settingable');
    }
}
