<?php

namespace Tests;

use App\Helpers\NotificationHelper;
use App\Models\FailedJob;
use App\Models\Notification;
use App\Models\Service;
use App\Models\User;
use LogicException;
use Paymenter\Extensions\Servers\ProxmoxWP\Api\ApiException;
use Paymenter\Extensions\Servers\ProxmoxWP\Api\Hook;
use Paymenter\Extensions\Servers\ProxmoxWP\Api\Overdue;
use PHPUnit\Framework\TestCase;
use Tests\Support\Log;

/** What becomes of a hook that failed: what is written down, and who is told. */
class HookTest extends TestCase
{
    private Service $service;

    protected function setUp(): void
    {
        Log::clear();
        [NotificationHelper::$sent, NotificationHelper::$isBroken, Notification::$table, FailedJob::$table] = [[], false, [], []];
        User::$staff = [new User(3), new User(4, ['admin.failed_jobs.viewAny']), new User(5, ['admin.tickets.viewAny'])];
        $this->service = new Service(17);
    }

    private function fails(string $sentence): callable
    {
        return fn () => throw new ApiException($sentence, 'validation');
    }

    private function caught(callable $call): string
    {
        try {
            $call();
        } catch (ApiException $e) {
            return $e->getMessage();
        }
        $this->fail('it did not fail');
    }

    private function failed(string $act, string $sentence = 'No.'): Overdue
    {
        $this->assertSame($sentence, $this->caught(fn () => Hook::run($this->service, $act, $this->fails($sentence))));

        return Overdue::of($this->service, $act);
    }

    public function test_a_failed_order_is_told_to_staff_and_written_down_at_the_service(): void
    {
        $overdue = $this->failed('create');
        [[$subject, $body]] = NotificationHelper::$sent;
        $this->assertSame('Service 17: create failed', $subject);
        $this->assertStringContainsString('<p>No.</p>', $body);
        $this->assertStringContainsString('It is tried again by itself', $body);
        $row = $this->service->properties()->rows['nodepoint_order_failed'];
        $this->assertSame('Last error: create', $row['name']);
        $this->assertMatchesRegularExpression('/^No\. \(tried 1 time since .* UTC, next after .* UTC\)$/', $row['value']);
        $this->assertSame(['No.', 1, false], [$overdue->reason, $overdue->tries, $overdue->isDue()]);
    }

    public function test_those_of_the_staff_who_see_failed_jobs_get_a_notification(): void
    {
        $this->failed('create');
        $this->assertSame([3, 4], array_column(Notification::$table, 'user_id'));
        $this->assertSame('Service 17: create failed', Notification::$table[0]['title']);
        $this->assertStringStartsWith('No. It is tried again', Notification::$table[0]['body']);
        $this->assertSame('/admin/services/17/edit', Notification::$table[0]['url']);
    }

    public function test_an_act_that_succeeds_later_takes_that_back_and_resolves_its_failed_jobs(): void
    {
        FailedJob::of('CreateJob', 17);
        $others = [FailedJob::of('CreateJob', 171), FailedJob::of('SuspendJob', 17)];
        $this->failed('create');
        $this->assertSame(['x' => 'y'], Hook::run($this->service, 'create', fn () => ['x' => 'y']));
        $this->assertSame([], $this->service->properties()->rows);
        $this->assertSame('Service 17: create succeeded after all', NotificationHelper::$sent[1][0]);
        $this->assertSame($others, FailedJob::$table);
    }

    public function test_an_unsuspension_resolves_no_suspension(): void
    {
        $suspension = FailedJob::of('SuspendJob', 17);
        FailedJob::of('UnsuspendJob', 17);
        Hook::resolve($this->service, 'unsuspend');
        $this->assertSame([$suspension], FailedJob::$table);
        $suspension = FailedJob::of('UnsuspendJob', 17);
        Hook::resolve($this->service, 'suspend');
        $this->assertSame([$suspension], FailedJob::$table);
    }

    public function test_an_act_that_never_failed_leaves_everything_alone(): void
    {
        FailedJob::of('SuspendJob', 17);
        Hook::run($this->service, 'suspend', fn () => []);
        $this->assertCount(1, FailedJob::$table);
        $this->assertSame([[], []], [NotificationHelper::$sent, $this->service->properties()->rows]);
    }

    public function test_pauses_grow_and_end_and_staff_hear_of_the_first_and_the_last_try_only(): void
    {
        for ($try = 1; $try <= 30; $try++) {
            $before = time();
            $overdue = $this->failed('suspend', "No $try.");
            if ($try < 30) {
                $this->assertEqualsWithDelta(([1, 2, 5, 10, 30][$try - 1] ?? 60) * 60, $overdue->next - $before, 62);
                $this->assertGreaterThanOrEqual(([1, 2, 5, 10, 30][$try - 1] ?? 60) * 60, $overdue->next - $before);
            }
        }
        $this->assertNull($overdue->next);
        $this->assertSame(['Service 17: suspend failed', 'Service 17: suspend failed for good'], array_column(NotificationHelper::$sent, 0));
        $this->assertStringEndsWith('not again by itself)', $this->service->properties()->rows['nodepoint_suspend_failed']['value']);
        $this->assertFalse(Overdue::of($this->service, 'suspend')->isDue());
    }

    public function test_what_somebody_else_has_written_is_due_at_once(): void
    {
        foreach (['No.', '', 'No. (tried x times)', "two\nlines"] as $text) { // an older release wrote the sentence alone
            $overdue = Overdue::read('nodepoint_order_failed', $text);
            $this->assertSame(['create', $text, 1, true], [$overdue->act, $overdue->reason, $overdue->tries, $overdue->isDue()]);
        }
        $this->assertNull(Overdue::read('nodepoint_url', 'https://x'));
        $this->assertNull(Overdue::read('nodepoint_dance_failed', 'No.'));
    }

    public function test_what_a_customer_has_typed_is_no_code_in_the_mail(): void
    {
        $hostile = '{{ 7*7 }} {!! phpinfo() !!} @php echo 1 @endphp @include("x") <x-button> <?php echo 1 ?> <script>';
        $this->failed('suspend', $hostile);
        $body = NotificationHelper::$sent[0][1];
        $compiled = app('blade.compiler')->compileString($body);
        $this->assertSame($body, $compiled);
        $this->assertStringContainsString($hostile, html_entity_decode($body, ENT_QUOTES));
    }

    public function test_a_mail_that_cannot_be_queued_hides_nothing_and_the_notification_comes(): void
    {
        NotificationHelper::$isBroken = true;
        $this->failed('create');
        $this->assertCount(1, Log::$reported);
        $this->assertCount(2, Notification::$table);
    }

    public function test_faults_of_ours_are_told_as_well(): void
    {
        try {
            Hook::run($this->service, 'upgrade', fn () => throw new LogicException('Oops.'));
            $this->fail('it did not fail');
        } catch (LogicException) {
            $this->assertCount(1, NotificationHelper::$sent);
        }
    }
}
