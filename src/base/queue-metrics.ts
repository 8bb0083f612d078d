import { type CounterSeries, exponentialBuckets, type HistogramSeries, type Metrics } from './metrics.ts';

/** What a queue holds at a moment. */
export interface QueueState {
	/** How many keys wait: for a worker, or for the end of the work on them that is under way. */
	readonly depth: number;
	/** How long each key has been worked on that is worked on. */
	readonly workingMs: readonly number[];
}

const LABELS = { labelNames: ['name'] };

/** Upstream's; times are measured in whole milliseconds here, so the lowest bound takes all that is less. */
const BUCKETS = exponentialBuckets(10e-9, 10, 10);

/** The metrics of one work queue, by upstream's names (`workqueue_*`), which many alerts ask for. */
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

	/** A key was put in line that was not there. */
	added(): void {
		this.#adds.inc();
	}

	/** A key was to come again later. */
	retried(): void {
		this.#retries.inc();
	}

	/** A key came to a worker after so long. */
	waited(ms: number): void {
		this.#waited.observe(ms / 1000);
	}

	/** The work on a key took so long. */
	worked(ms: number): void {
		this.#worked.observe(ms / 1000);
	}
}

const ADDS = { name: 'workqueue_adds_total', help: 'Keys that were put in line.', ...LABELS };

const RETRIES = { name: 'workqueue_retries_total', help: 'Keys that were put in line for later.', ...LABELS };

const WAITED = {
	name: 'workqueue_queue_duration_seconds',
	help: 'How long keys were in line before a worker took them.',
	buckets: BUCKETS,
	...LABELS,
};

const WORKED = {
	name: 'workqueue_work_duration_seconds',
	help: 'How long the work on a key took.',
	buckets: BUCKETS,
	...LABELS,
};

const DEPTH = { name: 'workqueue_depth', help: 'Keys that are in line now.', ...LABELS };

const UNFINISHED = {
	name: 'workqueue_unfinished_work_seconds',
	help: 'How long the work under way has taken so far, all keys together; what only grows is stuck.',
	...LABELS,
};

const LONGEST = {
	name: 'workqueue_longest_running_processor_seconds',
	help: 'How long the work on that key has taken so far that has been worked on the longest.',
	...LABELS,
};

function sum(values: readonly number[]): number {
	return values.reduce((total, value) => total + value, 0);
}

/** The greatest value, 0 of none. `Math.max(...values)` throws for more arguments than the stack holds. */
function longest(values: readonly number[]): number {
	return values.reduce((most, value) => Math.max(most, value), 0);
}
