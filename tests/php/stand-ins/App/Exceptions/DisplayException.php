<?php

namespace App\Exceptions;

use Exception;

class DisplayException extends Exception {}
