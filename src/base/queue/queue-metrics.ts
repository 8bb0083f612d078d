import { type CounterSeries, exponentialBuckets, type HistogramSeries, type Metrics } from '../metrics.ts';

/** The load of a queue at one moment, read at each scrape of the metrics. */
export interface QueueState {
	/** Number of keys that wait for a worker, or for the end of their own running pass or rest. */
	readonly depth: number;
	/** For each key that a worker processes now: milliseconds since the worker took it. */
	readonly workingMs: readonly number[];
}

const LABELS = { labelNames: ['name'] };

/**
 * The bounds of component-base's `workqueue` metrics, so that upstream's dashboards and alerts fit. A
 * virtual clock counts whole milliseconds, so its shorter durations all fall into the lowest bucket.
 */
const BUCKETS = exponentialBuckets(10e-9, 10, 10);

/**
 * The metrics of one work queue. Their names are upstream's (`workqueue_*`), because published alerts and
 * dashboards query them; the label `name` tells the queues apart.
 */
export class QueueMetrics {
	readonly #adds: CounterSeries;
	readonly #retries: CounterSeries;
	readonly #waited: HistogramSeries;
	readonly #worked: HistogramSeries;

	constructor(metrics: Metrics, name: string, state: () => QueueState) {
		this.#adds = metrics.counter(ADDS).with(name);
		this.#retries = metrics.counter(RETRIES).with(name);
		this.#waited = metrics.histogram(WAITED).with(name);
		this.#worked = metrics.histogram(WORKED).with(name);
		metrics.readGauge(DEPTH, (report) => report(state().depth, name));
		metrics.readGauge(UNFINISHED, (report) => report(sum(state().workingMs) / 1000, name));
		metrics.readGauge(LONGEST, (report) => report(longest(state().workingMs) / 1000, name));
	}

	/** Counts a key that was added to the queue and was not in it. */
	added(): void {
		this.#adds.inc();
	}

	/** Counts a delayed addition: a requeue after a time, or a retry after a backoff. */
	retried(): void {
		this.#retries.inc();
	}

	/** Observes the time from the addition of a key until a worker took it. */
	waited(ms: number): void {
		this.#waited.observe(ms / 1000);
	}

	/** Observes the time from when a worker took a key until the worker finished it. */
	worked(ms: number): void {
		this.#worked.observe(ms / 1000);
	}
}

const ADDS = { name: 'workqueue_adds_total', help: 'Total number of keys added to the queue.', ...LABELS };

const RETRIES = {
	name: 'workqueue_retries_total',
	help: 'Total number of keys added to the queue with a delay, including retries after errors.',
	...LABELS,
};

const WAITED = {
	name: 'workqueue_queue_duration_seconds',
	help: 'Seconds a key waits in the queue before a worker takes it.',
	buckets: BUCKETS,
	...LABELS,
};

const WORKED = {
	name: 'workqueue_work_duration_seconds',
	help: 'Seconds a worker takes to process a key.',
	buckets: BUCKETS,
	...LABELS,
};

const DEPTH = { name: 'workqueue_depth', help: 'Number of keys waiting in the queue.', ...LABELS };

const UNFINISHED = {
	name: 'workqueue_unfinished_work_seconds',
	help: 'Sum of the seconds that the keys in progress have been processed so far; a value that only grows means stuck workers.',
	...LABELS,
};

const LONGEST = {
	name: 'workqueue_longest_running_processor_seconds',
	help: 'Seconds the key that has been in progress longest has been processed so far.',
	...LABELS,
};

function sum(values: readonly number[]): number {
	return values.reduce((total, value) => total + value, 0);
}

/**
 * The greatest value, or 0 if there is none. `Math.max(...values)` would throw for more values than the stack
 * holds.
 */
function longest(values: readonly number[]): number {
	return values.reduce((most, value) => Math.max(most, value), 0);
}
