<?php

namespace App\Classes\Extension;

class Server extends Extension {}
