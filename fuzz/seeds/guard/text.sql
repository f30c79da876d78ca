SELECT E'\'', $x$ '--' $x$, U&'\0041' /* /* */ ; */ FROM tasks WHERE title = 'a''b' -- ';
 OR done