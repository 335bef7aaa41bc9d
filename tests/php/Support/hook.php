<?php

/* hook.php EXTENSION BASE HOOK... — calls hooks at the API of that address, all at once; prints a line of JSON for each: its name,
   the seconds that it took, and what it threw. */

use App\Models\Service;

require dirname(__DIR__).'/bootstrap.php';

[, $class, $base] = $argv;
foreach (array_slice($argv, 3) as $hook) {
    if (pcntl_fork() !== 0) {
        continue;
    }
    $extension = new $class(['api_base' => $base, 'api_key' => 'token', 'public_ip' => '203.0.113.10']);
    $service = new Service(1);
    $began = microtime(true);
    $end = ['hook' => $hook, 'class' => 'nothing', 'message' => '', 'status' => 0, 'code' => ''];
    try {
        $extension->$hook($service, $service->product->settings, []);
    } catch (Throwable $e) {
        $end = ['class' => $e::class, 'message' => $e->getMessage(), 'status' => $e->status ?? 0, 'code' => $e->errorCode ?? ''] + $end;
    }
    echo json_encode($end + ['seconds' => microtime(true) - $began])."\n";
    exit;
}
while (pcntl_wait($status) > 0);
