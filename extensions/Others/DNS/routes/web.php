<?php

use App\Http\Middleware\MustVerfiyEmail;
use Illuminate\Support\Facades\Route;
use Paymenter\Extensions\Others\DNS\Livewire\FilePage;
use Paymenter\Extensions\Others\DNS\Livewire\ZonePage;
use Paymenter\Extensions\Others\DNS\Livewire\ZonesPage;

// No group: an exception inside of one would leave its middleware on every later route of Paymenter.
Route::get('/dns', ZonesPage::class)->middleware(['web', 'auth', MustVerfiyEmail::class])->name('dns.zones');
Route::get('/dns/{zone}', ZonePage::class)->where('zone', '[0-9]{1,18}')
    ->middleware(['web', 'auth', MustVerfiyEmail::class])->name('dns.zone');
Route::get('/dns/{zone}/file', FilePage::class)->where('zone', '[0-9]{1,18}')
    ->middleware(['web', 'auth', MustVerfiyEmail::class])->name('dns.file');
