<?php

use App\Http\Middleware\MustVerfiyEmail;
use Illuminate\Support\Facades\Route;
use Paymenter\Extensions\Servers\ProxmoxWP\Livewire\LogIn;

// No group: an exception inside of one would leave its middleware on every later route of Paymenter.
Route::get('/services/{service}/wordpress', LogIn::class)->where('service', '[0-9]{1,18}')
    ->middleware(['web', 'auth', MustVerfiyEmail::class, 'can:view,service'])->name('proxmoxwp.log-in');
