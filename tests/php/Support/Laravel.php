<?php

namespace Tests\Support;

use Illuminate\Container\Container;
use Illuminate\Events\Dispatcher;
use Illuminate\Http\Request;
use Illuminate\Routing\Router;
use Illuminate\Routing\UrlGenerator;
use Illuminate\Support\Facades\Facade;
use Illuminate\Support\Facades\View as Views;
use Illuminate\Support\ViewErrorBag;
use Illuminate\View\View;
use Livewire\Livewire;

/**
 * What extensions with pages of their own need of Laravel beyond the bootstrap: the real router, events and addresses, and stand-ins for the
 * application, its configuration and who is logged in.
 */
final class Laravel
{
    /** @var object{id: int, email: string}|null who is logged in */
    public static ?object $user = null;

    /** @var array<string, mixed> */
    public static array $config = [];

    public static bool $configIsCached = false;

    /** What Livewire's macro was given: title and side bar. */
    public static array $layout = [];

    public static Router $router;

    /** A fresh application, in which customer 7 is logged in. */
    public static function start(): void
    {
        foreach (['Routing', 'Session', 'Pipeline'] as $component) {
            require_once "Illuminate/$component/autoload.php";
        }
        require_once __DIR__.'/helpers.php';
        require_once __DIR__.'/Env.php';
        self::$user = (object) ['id' => 7, 'email' => 'jane.doe@example.com'];
        [self::$config, self::$layout, self::$configIsCached] = [[], [], false];
        $container = Container::getInstance();
        $events = new Dispatcher($container);
        self::$router = new Router($events, $container);
        $container->instance('events', $events);
        $container->instance('router', self::$router);
        $container->instance('url', new UrlGenerator(self::$router->getRoutes(), Request::create('http://paymenter.test')));
        $container->instance('auth', self::auth());
        $container->instance('config', self::config());
        $container->instance('app', self::app());
        Facade::clearResolvedInstances();
        View::macro('layoutData', function (array $data) {
            Laravel::$layout = $data;

            return $this;
        });
    }

    /** Leaves nothing of it to other tests. */
    public static function stop(): void
    {
        foreach (['events', 'router', 'url', 'auth', 'config', 'app'] as $name) {
            Container::getInstance()->forgetInstance($name);
        }
        Facade::clearResolvedInstances();
        Views::share('errors', new ViewErrorBag);
        Livewire::$components = [];
    }

    private static function auth(): object
    {
        return new class
        {
            public function check(): bool
            {
                return Laravel::$user !== null;
            }

            public function id(): ?int
            {
                return Laravel::$user?->id;
            }

            public function user(): ?object
            {
                return Laravel::$user;
            }
        };
    }

    private static function config(): object
    {
        return new class
        {
            public function get(string $key, $default = null)
            {
                $found = Laravel::$config;
                foreach (explode('.', $key) as $step) {
                    $found = is_array($found) ? $found[$step] ?? null : null;
                }

                return $found ?? $default;
            }

            public function set(string $key, $value): void
            {
                Laravel::$config[$key] = $value;
            }
        };
    }

    private static function app(): object
    {
        return new class
        {
            public function configurationIsCached(): bool
            {
                return Laravel::$configIsCached;
            }

            public function runningInConsole(): bool
            {
                return false;
            }
        };
    }
}
