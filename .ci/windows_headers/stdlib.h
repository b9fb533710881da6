void abort(void);
