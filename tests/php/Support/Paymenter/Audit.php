<?php

namespace Tests\Support\Paymenter;

use Illuminate\Database\Eloquent\Model;

/** What laravel-auditing keeps of a change. */
class Audit extends Model
{
    protected $guarded = [];

    protected $casts = ['old_values' => 'json', 'new_values' => 'json'];
}
