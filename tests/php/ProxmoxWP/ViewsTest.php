<?php

namespace Tests\ProxmoxWP;

use Tests\Support\Laravel;

/** What the views make of what the panels read. */
class ViewsTest extends Sites
{
    private const HOSTILE = '"><script>alert(\'x\')</script>{{ 7*7 }}\');alert(1);(\'&lt;ü例';

    private const JOB = ['id' => '1', 'state' => 'running', 'percent' => 40, 'eta' => 12, 'error' => '',
        'running' => true, 'succeeded' => false];

    private const SITE = ['status' => 'running', 'busy' => false, 'job' => null, 'subdomain' => 'jane', 'url' => 'https://jane.nodepoint.eu',
        'public_ip' => self::IP, 'plan' => ['name' => 'basic', 'memory_mb' => 2048, 'disk_gb' => 20, 'cores' => 2], 'cpu' => '0.5%',
        'memory' => '512MB / 2048MB', 'disk' => '3.1GB / 20GB', 'uptime' => '5 days', 'enabled' => true, 'stale' => false,
        'disk_warning' => '', 'disk_percent' => 16, 'traffic' => ['in' => 12, 'out' => 345], 'safe_mode' => false];

    private const TOOLS = ['busy' => false, 'job' => null, 'status' => 'running', 'safe_mode' => false, 'most' => ['upload_mb' => 20480, 'memory_mb' => 512],
        'options' => ['xmlrpc' => false, 'cache' => true, 'upload_mb' => 128, 'memory_mb' => 256], 'offers' => []];

    private function html(string $view, ?array $data, array $more = []): string
    {
        $state = $more + ['service' => $this->service(), 'busy' => $data['busy'] ?? false, 'data' => $data, 'trouble' => null, 'job' => null,
            'begun' => null, 'orderFailed' => false, 'question' => null, 'address' => self::IP, 'domain' => '', 'proof' => null,
            'uploadMb' => '', 'memoryMb' => '', 'from' => '', 'to' => '', 'counted' => null];
        if ($view === 'domains' && $data !== null) {
            $state['data'] += ['own' => null];
        }

        return (string) view("proxmoxwp::$view", $state);
    }

    /** The text that a reader sees, and every attribute by element and name. */
    private function document(string $html): \DOMXPath
    {
        $document = new \DOMDocument;
        libxml_use_internal_errors(true);
        $document->loadHTML('<?xml encoding="UTF-8"><html><body>'.$html.'</body></html>');
        libxml_clear_errors();

        return new \DOMXPath($document);
    }

    private function attribute(string $html, string $name): array
    {
        $found = [];
        foreach ($this->document($html)->query('//@*') as $attribute) {
            if ($attribute->nodeName === $name) {
                $found[] = $attribute->nodeValue;
            }
        }

        return $found;
    }

    private function click(string $html): array
    {
        preg_match_all('/wire:click="([^"]*)"/', $html, $found);

        return array_map(fn ($value) => html_entity_decode($value, ENT_QUOTES), $found[1]);
    }

    public function test_a_domain_that_could_be_the_main_address_can_be_chosen(): void
    {
        $row = ['name' => 'www.example.com', 'status' => 'active', 'certificate' => 'active', 'error' => '', 'problem' => '', 'primary' => false];
        foreach ([[[], 1], [['primary' => true], 0], [['status' => 'failed'], 0], [['certificate' => 'pending'], 0]] as [$changes, $count]) {
            $html = $this->html('domains', ['busy' => false, 'domains' => [$changes + $row], 'used' => 1, 'allowed' => 3, 'remaining' => 2]);
            $this->assertCount($count, preg_grep('/^choose/', $this->click($html)));
        }
    }

    public function test_the_platforms_own_name_can_be_the_main_address_again(): void
    {
        $data = ['busy' => false, 'domains' => [], 'used' => 0, 'allowed' => 3, 'remaining' => 3];
        foreach ([[true, []], [false, ["choose('jane.nodepoint.eu')"]]] as [$primary, $clicks]) {
            $html = $this->html('domains', $data + ['own' => ['name' => 'jane.nodepoint.eu', 'primary' => $primary]]);
            $this->assertSame($clicks, $this->click($html));
            $this->assertSame($primary, str_contains($html, 'Main address of the site'));
        }
    }

    public function test_a_disk_that_fills_up_is_told(): void
    {
        $said = '93 % of the disk is in use. Delete what is not needed.';
        $this->assertStringContainsString($said, $this->html('overview', ['disk_warning' => $said] + self::SITE));
        $this->assertStringNotContainsString('role="alert"', $this->html('overview', self::SITE));
    }

    public function test_the_overview(): void
    {
        $html = $this->html('overview', self::SITE);
        foreach (['running', 'basic (2048 MB memory, 20 GB disk, 2 cores)', '0.5%', '512MB / 2048MB', '3.1GB / 20GB', '5 days',
            'can reach the site'] as $text) {
            $this->assertSame(1, substr_count($html, $text), $text); // each fact once
        }
        $this->assertStringNotContainsString(self::IP, $html);
        $this->assertSame(['https://jane.nodepoint.eu'], $this->attribute($html, 'href'));
        $this->assertSame(["power('restart')", "power('stop')", 'toggle(false)', 'resetSite'], $this->click($html));
        $this->assertStringContainsString('wire:confirm="Reset the site', $html);
        $this->assertStringNotContainsString('wire:poll', $html);
        $this->assertStringNotContainsString('proxmoxwp::', $html);
    }

    public function test_buttons_go_by_the_status(): void
    {
        $this->assertSame(["power('start')", 'toggle(true)', 'resetSite'],
            $this->click($this->html('overview', ['status' => 'stopped', 'enabled' => false] + self::SITE)));
        foreach (['suspended', 'provisioning', 'deleting', 'failed'] as $status) {
            $this->assertSame([], $this->click($this->html('overview', ['status' => $status] + self::SITE)), $status);
        }
        $this->assertStringNotContainsString('Visitors:', $this->html('overview', ['status' => 'provisioning'] + self::SITE));
        $this->assertStringContainsString('Your site is suspended', $this->html('overview', ['status' => 'suspended'] + self::SITE));
        $this->assertStringContainsString('what was known last', $this->html('overview', ['stale' => true] + self::SITE));
    }

    public function test_a_progress_bar_and_another_look_while_something_is_going_on(): void
    {
        $html = $this->html('overview', ['status' => 'provisioning', 'busy' => true, 'job' => self::JOB] + self::SITE);
        foreach (['Your site is being set up.', '(about 12 s left)', 'width: 40%', 'wire:poll.3s="poll"',
            'aria-label="Your site is being set up."'] as $text) {
            $this->assertStringContainsString($text, $html);
        }
    }

    public function test_a_bar_is_named_by_what_the_customer_began(): void
    {
        $html = $this->html('backups', ['busy' => true, 'backups' => [], 'used' => 0, 'allowed' => 1],
            ['job' => self::JOB, 'begun' => 'The backup has begun.']);
        $this->assertStringContainsString('aria-label="The backup has begun."', $html);
    }

    public function test_trouble_is_said_and_can_be_tried_again(): void
    {
        $html = $this->html('backups', null, ['trouble' => 'It is away.']);
        $this->assertStringContainsString('It is away.', $html);
        $this->assertSame(['load'], $this->click($html));
    }

    public function test_the_domain_form_says_what_dns_must_say(): void
    {
        $data = ['busy' => false, 'domains' => [], 'used' => 0, 'allowed' => 3, 'remaining' => 3];
        $html = $this->html('domains', $data);
        $this->assertStringContainsString('A → '.self::IP, $html);
        $this->assertStringContainsString('3 of 3 domains', $html);
        $this->assertStringContainsString('wire:submit="add"', $html);
        $this->assertStringNotContainsString('wire:submit', $this->html('domains', ['remaining' => 0] + $data));
    }

    public function test_the_wordpress_tab_offers_what_the_backend_says_and_nothing_else(): void
    {
        $html = $this->html('tools', self::TOOLS);
        $this->assertSame(['safeMode(true)', "turn('cache', false)", "turn('xmlrpc', true)"], $this->click($html));
        foreach (['Largest upload (1 to 20480 MB)', 'wire:submit="save"', 'wire:submit="countAddresses"'] as $text) {
            $this->assertStringContainsString($text, $html);
        }
        $old = $this->html('tools', ['safe_mode' => null, 'options' => null] + self::TOOLS); // an older backend
        $this->assertSame([], $this->click($old));
        $this->assertStringNotContainsString('wire:submit="save"', $old);
        $this->assertStringContainsString('wire:submit="countAddresses"', $old);
        foreach (['suspended', 'failed', 'provisioning', 'deleting'] as $status) {
            $html = $this->html('tools', ['status' => $status] + self::TOOLS);
            $this->assertStringContainsString('while your site is running or stopped', $html);
            $this->assertStringNotContainsString('wire:submit', $html);
        }
    }

    public function test_addresses_are_replaced_only_after_they_were_counted(): void
    {
        $counted = ['from' => 'old.example', 'to' => 'new.example', 'tables' => 2, 'changes' => 31, 'left' => 1];
        $html = $this->html('tools', self::TOOLS, ['counted' => $counted]);
        $this->assertContains('replaceAddresses', $this->click($html));
        $this->assertStringContainsString('31 addresses with old.example in 2 tables would get new.example.', $html);
        $this->assertStringContainsString('1 more cannot be changed safely', $html);
        $this->assertNotContains('replaceAddresses', $this->click($this->html('tools', self::TOOLS, ['counted' => ['changes' => 0] + $counted])));
        $this->assertNotContains('replaceAddresses', $this->click($this->html('tools', self::TOOLS)));
    }

    public function test_the_record_that_shows_whose_a_domain_is_can_be_copied(): void
    {
        $proof = ['domain' => 'a.example', 'name' => '_nodepoint.a.example', 'value' => 'nodepoint-verify='.self::HOSTILE];
        $html = $this->html('domains', ['busy' => false, 'domains' => [], 'used' => 0, 'allowed' => 1, 'remaining' => 1], ['proof' => $proof]);
        foreach ([$proof['name'], $proof['value']] as $value) {
            $this->assertContains($value, $this->attribute($html, 'value'));
        }
        $this->assertSame(['prove'], $this->click($html));
        $this->assertStringContainsString('To show that a.example is yours', $html);
    }

    public function test_archives_are_shown_where_there_are_any_or_may_be(): void
    {
        $row = ['name' => 'ARC1', 'status' => 'ready', 'origin' => 'customer', 'made_at' => 1_780_000_000, 'size' => 812, 'until' => 1_790_000_000];
        $data = ['busy' => false, 'there' => true, 'archives' => [$row, ['name' => 'ARC2', 'origin' => 'deletion'] + $row,
            ['name' => self::HOSTILE, 'status' => 'unknown', 'origin' => 'unknown', 'made_at' => 0, 'size' => 0, 'until' => 0]],
            'schedule' => 'daily', 'next_at' => 1_780_090_000, 'used' => 1, 'allowed' => 2];
        $html = $this->html('archives', $data);
        $this->assertSame(['create', "delete('ARC1')"], $this->click($html));
        foreach (['1 of 2 archives', 'each night', '812 MB', 'kept until', 'not known why'] as $text) {
            $this->assertStringContainsString($text, $html);
        }
        $this->assertStringNotContainsString('<script', $html);
        $this->assertSame([], $this->click($this->html('archives', ['archives' => [], 'used' => 2] + $data)));
        $this->assertSame('', trim(strip_tags($this->html('archives', ['there' => false] + $data))));
    }

    public function test_an_archive_to_take_along_is_offered_where_the_backend_makes_them(): void
    {
        $offer = ['busy' => false, 'there' => true, 'url' => 'https://jane.nodepoint.eu/export-x.tar.gz', 'size' => 91, 'until' => 1_780_000_000];
        $html = $this->html('export', $offer);
        $this->assertSame([[$offer['url']], ['make']], [$this->attribute($html, 'href'), $this->click($html)]);
        $this->assertStringContainsString('Download (91 MB)', $html);
        $this->assertSame([], $this->attribute($this->html('export', ['url' => ''] + $offer), 'href'));
        $this->assertSame('', trim(strip_tags($this->html('export', ['there' => false] + $offer))));
    }

    public function test_traffic_disk_and_safe_mode_are_told_where_they_are_known(): void
    {
        $html = $this->html('overview', ['safe_mode' => true] + self::SITE);
        foreach (['12 MB in, 345 MB out', 'aria-valuenow="16"', 'Safe mode is on'] as $text) {
            $this->assertStringContainsString($text, $html);
        }
        $html = $this->html('overview', ['traffic' => null, 'disk_percent' => null] + self::SITE);
        $this->assertStringNotContainsString('role="meter"', $html);
        $this->assertStringNotContainsString('Traffic', $html);
    }

    public function test_hostile_text_stays_text_and_reaches_its_action_unchanged(): void
    {
        $domain = ['name' => self::HOSTILE, 'status' => 'failed', 'certificate' => 'none', 'error' => self::HOSTILE, 'problem' => self::HOSTILE,
            'primary' => true];
        $backup = ['name' => self::HOSTILE, 'status' => 'ready', 'made_at' => 1_780_000_000, 'safety' => false];
        $pages = [
            'domains' => $this->html('domains', ['busy' => false, 'domains' => [$domain], 'used' => 1, 'allowed' => 3, 'remaining' => 2],
                ['trouble' => self::HOSTILE, 'address' => self::HOSTILE, 'job' => self::JOB]),
            'backups' => $this->html('backups', ['busy' => false, 'backups' => [$backup], 'used' => 1, 'allowed' => 2],
                ['question' => ['subject' => self::HOSTILE, 'sentence' => self::HOSTILE]]),
            'overview' => $this->html('overview', array_merge(self::SITE, array_fill_keys(['cpu', 'memory', 'disk', 'uptime', 'disk_warning'], self::HOSTILE), ['plan' => ['name' => self::HOSTILE] + self::SITE['plan'], 'url' => 'https://x/'.self::HOSTILE])),
        ];
        foreach ($pages as $name => $html) {
            $this->assertSame(0, $this->document($html)->query('//script')->length, $name);
            $this->assertStringNotContainsString('<script', $html, $name);
            $this->assertStringContainsString(self::HOSTILE, $this->document($html)->query('//body')->item(0)->textContent, $name);
        }
        foreach ([...$this->click($pages['domains']), ...$this->click($pages['backups'])] as $click) {
            // One call with one literal string, and nothing behind it.
            $this->assertMatchesRegularExpression("/^(load|decline|create|\w+\('(?:[^'\\\\]|\\\\.)*'(, true)?\))$/", $click);
        }
        $remove = array_values(preg_grep('/^remove/', $this->click($pages['domains'])))[0];
        $this->assertSame(self::HOSTILE, json_decode('"'.substr($remove, strlen("remove('"), -2).'"'));
    }

    public function test_a_backup_that_the_platform_keeps_says_so(): void
    {
        $backup = ['name' => 'before', 'status' => 'ready', 'made_at' => 1_780_000_000];
        foreach ([true, false] as $safety) {
            $html = $this->html('backups', ['busy' => false, 'backups' => [$backup + ['safety' => $safety]], 'used' => 0, 'allowed' => 1]);
            $this->assertSame($safety, str_contains($html, 'kept by itself before the last change, does not count'));
        }
    }

    public function test_each_tab_holds_its_component(): void
    {
        $service = $this->service();
        foreach (['overview', 'domains', 'backups', 'tools'] as $name) {
            $html = (string) $this->extension()->getView($service, [], [], $name);
            preg_match_all('/<livewire:(\S+)/', $html, $found);
            $this->assertSame($name === 'backups' ? ['proxmoxwp.backups', 'proxmoxwp.archives', 'proxmoxwp.export'] : ["proxmoxwp.$name"], $found[1]);
        }
    }

    public function test_buttons_of_a_row_say_which_row_they_mean_and_begin_with_what_is_seen(): void
    {
        $backup = ['name' => 'BAK1', 'status' => 'ready', 'made_at' => 1_780_000_000, 'safety' => false];
        $domain = ['name' => 'a.example', 'status' => 'active', 'certificate' => 'active', 'error' => '', 'problem' => '', 'primary' => true];
        $html = $this->html('backups', ['busy' => false, 'backups' => [$backup], 'used' => 1, 'allowed' => 1])
            .$this->html('domains', ['busy' => false, 'domains' => [$domain], 'used' => 1, 'allowed' => 1, 'remaining' => 0]);
        foreach (['en' => ['Go back to it: BAK1', 'Delete the backup BAK1', 'Delete the domain a.example']] as $labels) {
            $this->assertSame($labels, $this->attribute($html, 'aria-label'));
        }
        foreach ($this->document($html)->query('//button[@aria-label]') as $button) {
            $this->assertStringStartsWith(trim($button->textContent), $button->getAttribute('aria-label'));
        }
    }

    public function test_what_a_newer_backend_says_of_a_domain_is_shown_once(): void
    {
        $domain = ['name' => 'a.example', 'status' => 'active', 'certificate' => 'active', 'error' => '', 'problem' => 'It leads elsewhere.',
            'primary' => true];
        $html = $this->html('domains', ['busy' => false, 'domains' => [$domain, ['error' => 'It leads elsewhere.', 'primary' => false,
            'name' => 'b.example'] + $domain], 'used' => 2, 'allowed' => 2, 'remaining' => 0]);
        $this->assertSame([2, 1], [substr_count($html, 'It leads elsewhere.'), substr_count($html, 'Main address')]);
    }

    public function test_a_failed_order_says_what_happens_next(): void
    {
        foreach ([$this->html('overview', ['status' => 'failed'] + self::SITE), $this->html('overview', null, ['orderFailed' => true])] as $html) {
            $this->assertStringContainsString('could not be set up', $html);
            $this->assertStringContainsString('your order stands', $html);
            $this->assertSame([], $this->click($html));
        }
    }

    public function test_actions_are_of_the_kinds_that_paymenter_knows(): void
    {
        $service = $this->service();
        $actions = $this->call('getActions', $service);
        $this->assertSame(['button', 'view', 'view', 'view', 'view'], array_column($actions, 'type'));
        $this->assertSame(['Log in to WordPress', 'Overview', 'Domains', 'Backups', 'WordPress'], array_column($actions, 'label'));
        Laravel::start(); // routes that were cached before the extension was there
        $this->assertSame(['view', 'view', 'view', 'view'], array_column($this->call('getActions', $service), 'type'));
    }

    public function test_every_text_is_there_in_german_as_well(): void
    {
        app('translator')->setLocale('de');
        try {
            $html = $this->html('overview', self::SITE).$this->html('backups', null).$this->html('tools', self::TOOLS);
            $this->assertStringContainsString('Neu starten', $html);
            $this->assertStringNotContainsString('proxmoxwp::', $html);
        } finally {
            app('translator')->setLocale('en');
        }
    }
}
