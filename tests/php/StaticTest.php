<?php

namespace Tests;

use PhpParser\Node;
use PhpParser\NodeFinder;
use PhpParser\NodeTraverser;
use PhpParser\NodeVisitor\NameResolver;
use PhpParser\ParserFactory;
use PHPUnit\Framework\TestCase;
use RecursiveDirectoryIterator;
use RecursiveIteratorIterator;

require_once 'PhpParser/autoload.php';

/** What can be told from the sources alone, for all files of all extensions. */
class StaticTest extends TestCase
{
    /**
     * Functions of laravel/framework that its packages do not bring, as far as there is no stand-in for them.
     */
    private const FUNCTIONS = ['abort', 'abort_if', 'abort_unless', 'auth', 'config', 'config_path', 'redirect', 'route', 'session', 'url'];

    /** Classes of Paymenter v1.5.8 (its spelling) and of Laravel 12 that are only named, so that no stand-in is needed. */
    private const CLASSES = ['App\\Http\\Middleware\\MustVerfiyEmail', 'Illuminate\\Support\\Facades\\Schedule'];

    private const FORBIDDEN = ['eval', 'exec', 'shell_exec', 'system', 'passthru', 'proc_open', 'popen', 'unserialize', 'dd', 'dump',
        'var_dump', 'print_r', 'phpinfo', 'extract', 'assert', 'error_log'];

    /** @return array<string, array{string}> PHP files, Blade views aside */
    public static function files(): array
    {
        $root = dirname(__DIR__, 2).'/extensions';
        $found = [];
        foreach (new RecursiveIteratorIterator(new RecursiveDirectoryIterator($root, RecursiveDirectoryIterator::SKIP_DOTS)) as $file) {
            $path = $file->getPathname();
            if (str_ends_with($path, '.php') && ! str_ends_with($path, '.blade.php') && ! str_contains($path, '/shared/')) {
                $found[substr($path, strlen($root) + 1)] = [$path];
            }
        }

        return $found;
    }

    /** @return list<Node\Stmt> with all names resolved */
    private function tree(string $path): array
    {
        $traverser = new NodeTraverser;
        $traverser->addVisitor(new NameResolver);

        return $traverser->traverse((new ParserFactory)->create(ParserFactory::PREFER_PHP7)->parse(file_get_contents($path)));
    }

    public function test_all_extensions_are_looked_at(): void
    {
        $this->assertGreaterThan(40, count(self::files()));
    }

    /** @dataProvider files */
    public function test_every_class_that_is_named_exists(string $path): void
    {
        $tree = $this->tree($path);
        $finder = new NodeFinder;
        $noClasses = [...$finder->findInstanceOf($tree, Node\Expr\FuncCall::class), ...$finder->findInstanceOf($tree, Node\Expr\ConstFetch::class)];
        $noClasses = array_map(fn ($node) => $node->name, $noClasses);
        foreach ($finder->findInstanceOf($tree, Node\Name\FullyQualified::class) as $name) {
            $class = $name->toString();
            if (! in_array($name, $noClasses, true) && ! in_array($class, self::CLASSES, true)) {
                $this->assertTrue(class_exists($class) || interface_exists($class) || trait_exists($class), "$class, line {$name->getLine()}");
            }
        }
        $this->assertNotSame('', $path);
    }

    /** @dataProvider files */
    public function test_every_function_exists_and_is_harmless(string $path): void
    {
        foreach ((new NodeFinder)->findInstanceOf($this->tree($path), Node\Expr\FuncCall::class) as $call) {
            if ($call->name instanceof Node\Name) {
                $name = $call->name->getLast();
                $this->assertTrue(function_exists($name) || in_array($name, self::FUNCTIONS, true)
                    || ($name === 'env' && str_contains($path, '/config/')), "$name(), line {$call->getLine()}");
                $this->assertNotContains($name, self::FORBIDDEN, "line {$call->getLine()}");
            }
        }
        $this->assertSame([], (new NodeFinder)->findInstanceOf($this->tree($path), Node\Expr\Eval_::class));
    }

    /** @dataProvider files */
    public function test_a_file_lies_where_paymenter_looks_for_its_class(string $path): void
    {
        foreach ((new NodeFinder)->findInstanceOf($this->tree($path), Node\Stmt\ClassLike::class) as $class) {
            if ($class->name !== null) {
                $place = str_replace('\\', '/', substr($class->namespacedName->toString(), strlen('Paymenter\\Extensions\\'))).'.php';
                $this->assertStringEndsWith("/extensions/$place", $path);
            }
        }
        $this->assertNotSame('', $path);
    }

    /** @dataProvider files */
    public function test_no_failure_vanishes_in_an_empty_catch(string $path): void
    {
        foreach ((new NodeFinder)->findInstanceOf($this->tree($path), Node\Stmt\Catch_::class) as $catch) {
            $this->assertNotSame([], array_filter($catch->stmts, fn ($one) => ! $one instanceof Node\Stmt\Nop), "line {$catch->getLine()}");
        }
        $this->assertNotSame('', $path);
    }
}
