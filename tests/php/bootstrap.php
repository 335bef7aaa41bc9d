<?php

/*
 * Laravel's components as Debian packages them, put together as far as the extensions use them, with
 * stand-ins for the classes of Paymenter and Livewire. The HTTP client is Laravel's own and does real
 * requests.
 */

use Illuminate\Cache\ArrayStore;
use Illuminate\Cache\Repository;
use Illuminate\Container\Container;
use Illuminate\Contracts\View\Factory as ViewFactory;
use Illuminate\Events\Dispatcher;
use Illuminate\Filesystem\Filesystem;
use Illuminate\Http\Client\Factory as HttpFactory;
use Illuminate\Support\Facades\Facade;
use Illuminate\Translation\FileLoader;
use Illuminate\Translation\Translator;
use Illuminate\View\Compilers\BladeCompiler;
use Illuminate\View\Engines\CompilerEngine;
use Illuminate\View\Engines\EngineResolver;
use Illuminate\View\Factory;
use Illuminate\View\FileViewFinder;
use Tests\Support\Log;

error_reporting(E_ALL & ~E_DEPRECATED); // Laravel 8 was written for older PHP
foreach (['Http', 'View', 'Translation', 'Cache', 'Events', 'Filesystem', 'Container', 'Auth', 'Database', 'Queue'] as $component) {
    require_once "Illuminate/$component/autoload.php";
}
require_once 'GuzzleHttp/autoload.php';

spl_autoload_register(function (string $class): void {
    $root = dirname(__DIR__, 2);
    $places = [
        'Paymenter\\Extensions\\Shared\\' => "$root/extensions/shared/",
        'Paymenter\\Extensions\\' => "$root/extensions/",
        'Tests\\' => __DIR__.'/',
        '' => __DIR__.'/stand-ins/',
    ];
    foreach ($places as $prefix => $folder) {
        $file = $folder.str_replace('\\', '/', substr($class, strlen($prefix))).'.php';
        if (str_starts_with($class, $prefix) && is_file($file)) {
            require $file;

            return;
        }
    }
});

/* What laravel/framework defines beside its packages. */
function report($exception): void
{
    Log::$reported[] = $exception;
}

function __($key = null, $replace = [], $locale = null)
{
    return app('translator')->get($key, $replace, $locale);
}

function app($abstract = null)
{
    return $abstract === null ? Container::getInstance() : Container::getInstance()->make($abstract);
}

function view($view = null, $data = [])
{
    return app('view')->make($view, $data);
}

$files = new Filesystem;
$app = new Container;
Container::setInstance($app);
Facade::setFacadeApplication($app);
$app->instance(HttpFactory::class, new HttpFactory);
$app->instance('cache', new Repository(new ArrayStore));
$app->instance('log', new Log);
$app->instance('translator', new Translator(new FileLoader($files, sys_get_temp_dir()), 'en'));

$compiled = sys_get_temp_dir().'/nodepoint-blade-'.getmypid();
@mkdir($compiled);
register_shutdown_function(fn () => $files->deleteDirectory($compiled));
$blade = new BladeCompiler($files, $compiled);
$engines = new EngineResolver;
$engines->register('blade', fn () => new CompilerEngine($blade, $files));
$views = new Factory($engines, new FileViewFinder($files, [__DIR__.'/stand-ins/views']), new Dispatcher($app));
$views->setContainer($app);
$views->share('errors', new Illuminate\Support\ViewErrorBag);
$app->instance('view', $views);
$app->instance(ViewFactory::class, $views);
$app->instance('blade.compiler', $blade);
$app->bind(Illuminate\Contracts\Foundation\Application::class, fn () => new class
{
    /** Where Blade looks for class components: there are none of these. */
    public function getNamespace(): string
    {
        return 'App\\';
    }
});
