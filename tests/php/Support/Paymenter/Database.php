<?php

namespace Tests\Support\Paymenter;

use Illuminate\Database\Capsule\Manager;
use Illuminate\Database\Eloquent\Model;
use Illuminate\Database\Schema\Blueprint;
use Illuminate\Events\Dispatcher;

/** Tables of Paymenter v1.5.8, as far as the extensions write to them, in SQLite. */
final class Database
{
    public static Manager $manager;

    /** A new and empty database. */
    public static function start(): void
    {
        self::$manager = new Manager;
        self::$manager->addConnection(['driver' => 'sqlite', 'database' => ':memory:']);
        self::$manager->setEventDispatcher(new Dispatcher);
        self::$manager->setAsGlobal();
        self::$manager->bootEloquent();
        Model::clearBootedModels(); // they listen to the events of the last database
        $schema = self::$manager->schema();
        $schema->create('extensions', fn (Blueprint $table) => [$table->id(), $table->string('name'), $table->timestamps()]);
        $schema->create('settings', function (Blueprint $table) {
            $table->id();
            $table->string('key');
            $table->text('value')->nullable();
            $table->boolean('encrypted')->default(false);
            $table->nullableMorphs('settingable');
            $table->timestamps();
        });
        $schema->create('audits', function (Blueprint $table) {
            $table->id();
            $table->string('event');
            $table->morphs('auditable');
            $table->text('old_values')->nullable();
            $table->text('new_values')->nullable();
            $table->timestamps();
        });
        $schema->create('failed_jobs', function (Blueprint $table) {
            $table->id();
            $table->string('uuid');
            $table->text('connection');
            $table->text('queue');
            $table->longText('payload');
            $table->longText('exception');
            $table->timestamp('failed_at')->useCurrent();
        });
    }

    /** Every value of every row. */
    public static function dump(): string
    {
        $rows = array_map(fn (string $table) => self::$manager->table($table)->get(), ['extensions', 'settings', 'audits', 'failed_jobs']);

        return json_encode($rows, JSON_UNESCAPED_SLASHES | JSON_THROW_ON_ERROR);
    }
}
