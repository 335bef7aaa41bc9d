<?php

namespace Livewire\Attributes;

use Attribute;

#[Attribute]
class Locked {}
