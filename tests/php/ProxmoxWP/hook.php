<?php

/* hook.php BASE HOOK — calls one hook at the API of that address; prints the seconds it took, and the class of what it threw. */

use App\Models\Service;
use Paymenter\Extensions\Servers\ProxmoxWP\ProxmoxWP;

require dirname(__DIR__).'/bootstrap.php';

[, $base, $hook] = $argv;
$extension = new ProxmoxWP(['api_base' => $base, 'api_key' => 'token', 'public_ip' => '203.0.113.10']);
$service = new Service(1);
$began = microtime(true);
try {
    $extension->$hook($service, $service->product->settings, []);
    $thrown = 'nothing';
} catch (Throwable $e) {
    $thrown = $e::class;
}
echo round(microtime(true) - $began, 1)." $thrown";
