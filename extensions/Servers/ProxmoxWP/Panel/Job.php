<?php

namespace Paymenter\Extensions\Servers\ProxmoxWP\Panel;

/**
 * What the backend says about a job, as the views show it.
 */
final class Job
{
    private const RUNNING = ['queued', 'running', 'waiting', 'rolling_back'];

    private const ENDED = ['succeeded', 'failed', 'rolled_back', 'cancelled'];

    /**
     * The job of an answer.
     *
     * @param  array<string, mixed>  $answer
     * @return array{id: string, state: string, percent: int, eta: int|null, error: string, running: bool,
     *     succeeded: bool}|null null where there is none; `eta` in seconds
     */
    public static function of(array $answer): ?array
    {
        $job = Field::map($answer, 'job');
        $state = Field::text($job, 'state');
        if (! in_array($state, [...self::RUNNING, ...self::ENDED], true)) {
            return null;
        }

        return [
            'id' => Field::text($job, 'id'),
            'state' => $state,
            'percent' => min(100, Field::number($job, 'percent')),
            'eta' => is_numeric($job['eta_seconds'] ?? null) ? Field::number($job, 'eta_seconds') : null,
            'error' => Field::text($job, 'error'),
            'running' => in_array($state, self::RUNNING, true),
            'succeeded' => $state === 'succeeded',
        ];
    }
}
