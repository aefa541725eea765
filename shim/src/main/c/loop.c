/*
 * loop.c: one epoll set and the timers.
 *
 * One event is fetched at a time: a handler may close any watch, also one
 * that is ready, and no stale event of it is left in a batch.
 */
#include "base.h"

static int epoll_fd = -1;
static bool ended;
static LIST_HEAD(timers);

int loop_open(void) {
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	return epoll_fd < 0 ? -errno : 0;
}

int loop_want(struct watch *watch, uint32_t events) {
	struct epoll_event event = {.events = events, .data.ptr = watch};
	int change = watch->wanted == 0 ? EPOLL_CTL_ADD
		     : events == 0	? EPOLL_CTL_DEL
					: EPOLL_CTL_MOD;

	if (watch->wanted == events || watch->fd < 0) return 0;
	if (epoll_ctl(epoll_fd, change, watch->fd, &event) < 0) return -errno;
	watch->wanted = events;
	return 0;
}

void loop_close(struct watch *watch) {
	/* A duplicate in a child would keep it in the set, so closing is not enough. */
	loop_want(watch, 0);
	watch->wanted = 0;
	close_fd(&watch->fd);
}

void timer_start(struct timer *timer, int ms) {
	timer_stop(timer);
	timer->at = now_ms() + ms;
	list_append(&timers, &timer->node);
}

void timer_stop(struct timer *timer) {
	list_remove(&timer->node);
	timer->node.next = timer->node.prev = NULL;
}

/* Fire what is due; return how long the next one has, or -1. */
static int run_timers(void) {
	for (;;) {
		struct timer *first = NULL;
		int64_t left;

		list_each(timer, &timers, struct timer, node)
			if (first == NULL || timer->at < first->at) first = timer;
		if (first == NULL) return -1;
		left = first->at - now_ms();
		if (left > 0) return left > 60000 ? 60000 : (int)left;
		timer_stop(first);
		first->fire(first);
	}
}

void loop_run(void) {
	for (ended = false; !ended;) {
		int timeout = run_timers();
		struct epoll_event event;
		struct watch *watch;

		if (ended || epoll_wait(epoll_fd, &event, 1, timeout) != 1) continue;
		watch = event.data.ptr;
		watch->ready(watch, event.events);
	}
}

void loop_end(void) {
	ended = true;
}
