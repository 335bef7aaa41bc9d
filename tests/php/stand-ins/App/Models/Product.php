<?php

namespace App\Models;

class Product {}
