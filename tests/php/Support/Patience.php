<?php

namespace Tests\Support;

use RuntimeException;

/** Hooks that are called beside the tests of a class, in processes of their own: each takes as long as it may. */
final class Patience
{
    /** @var array<string, array{resource, array<int, resource>}> processes and their pipes, by the way of the server */
    private array $running = [];

    /** @param  class-string  $extension */
    public function __construct(private string $extension) {}

    /** @param  list<string>  $hooks  called at a server that answers in this way */
    public function begin(string $way, array $hooks): void
    {
        $command = [PHP_BINARY, __DIR__.'/hook.php', $this->extension, OddServer::way($way), ...$hooks];
        $this->running[$way] = [proc_open($command, [1 => ['pipe', 'w'], 2 => ['pipe', 'w']], $pipes), $pipes];
    }

    /**
     * Waits for all of them.
     *
     * @return array<string, array{class: string, message: string, status: int, code: string, seconds: float}> by hook and way
     */
    public function ends(): array
    {
        $ends = [];
        foreach ($this->running as $way => [$process, $pipes]) {
            foreach (array_filter(explode("\n", stream_get_contents($pipes[1]))) as $line) {
                $end = json_decode($line, true) ?? throw new RuntimeException($line.stream_get_contents($pipes[2]));
                $ends["{$end['hook']} $way"] = $end;
            }
            proc_close($process);
        }
        $this->running = [];

        return $ends;
    }
}
