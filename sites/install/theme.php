<?php
/*
 * The theme of safe mode where no default theme is installed: all pages in plain text, so that nothing of the site is needed.
 */
?>
<!DOCTYPE html>
<html <?php language_attributes(); ?>>
<head><meta charset="<?php bloginfo('charset'); ?>"><meta name="viewport" content="width=device-width"><title><?php echo esc_html(wp_get_document_title()); ?></title><?php wp_head(); ?></head>
<body <?php body_class(); ?>>
<p><a href="<?php echo esc_url(home_url('/')); ?>"><?php bloginfo('name'); ?></a></p>
<?php while (have_posts()) : the_post(); ?>
<article><h1><a href="<?php the_permalink(); ?>"><?php the_title(); ?></a></h1><?php the_content(); ?></article>
<?php endwhile; ?>
<?php wp_footer(); ?>
</body>
</html>
