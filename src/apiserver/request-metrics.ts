import type { Clock } from '../base/clock.ts';
import type { CounterSeries, Family, HistogramSeries, Metrics } from '../base/metrics.ts';
import { isWatch } from './dispatch.ts';
import type { ResourceRequest } from './request.ts';
import { SUBRESOURCES } from './subresources/subresources.ts';

/** Records the end of a request, with the status code of its response. */
export type RequestEnd = (code: number) => void;

/**
 * Metrics of requests for resources, with upstream's names and labels (`apiserver_*`). Requests of callers in
 * this process count like those over HTTP. They cost about 2 µs for each request.
 */
export class RequestMetrics {
	readonly #clock: Clock;
	readonly #total: Family<CounterSeries>;
	readonly #seconds: Family<HistogramSeries>;
	readonly #inFlight = { mutating: 0, readOnly: 0 };
	/** The label values of each open watch and two-way stream. */
	readonly #open = new Set<readonly string[]>();

	constructor(metrics: Metrics, clock: Clock) {
		this.#clock = clock;
		this.#total = metrics.counter(TOTAL);
		this.#seconds = metrics.histogram(SECONDS);
		metrics.readGauge(IN_FLIGHT, (report) => {
			for (const [kind, count] of Object.entries(this.#inFlight)) report(count, kind);
		});
		metrics.readGauge(LONG_RUNNING, (report) => {
			const counts = new Map<string, { readonly labels: readonly string[]; count: number }>();
			for (const labels of this.#open) {
				const key = labels.join();
				const known = counts.get(key);
				if (known) known.count += 1;
				else counts.set(key, { labels, count: 1 });
			}
			for (const { labels, count } of counts.values()) report(count, ...labels);
		});
	}

	/**
	 * Records the start of a request. The caller calls the returned function exactly once, when the response is
	 * known.
	 */
	start(request: ResourceRequest): RequestEnd {
		const kind = request.call.method === 'GET' ? 'readOnly' : 'mutating';
		const end = this.#time(request);
		this.#inFlight[kind] += 1;
		return (code) => {
			this.#inFlight[kind] -= 1;
			end(code);
		};
	}

	/**
	 * Records the start of a watch, which lasts until the caller calls the returned function. Further calls are
	 * ignored, since a watch can end in several ways.
	 */
	startWatch(request: ResourceRequest): RequestEnd {
		return this.#startLong(request, 'WATCH');
	}

	/** The same for a two-way stream. */
	startConnect(request: ResourceRequest): RequestEnd {
		return this.#startLong(request, 'CONNECT');
	}

	#startLong(request: ResourceRequest, verb: 'WATCH' | 'CONNECT'): RequestEnd {
		const end = this.#time(request);
		const labels = labelsOf(request, verb);
		this.#open.add(labels);
		return (code) => {
			if (this.#open.delete(labels)) end(code);
		};
	}

	#time(request: ResourceRequest): RequestEnd {
		const started = this.#clock.now();
		return (code) => {
			const [verb = '', ...labels] = labelsOf(request, verbOf(request));
			const dryRun = dryRunOf(request);
			this.#total.with(verb, dryRun, ...labels, String(code)).inc();
			this.#seconds.with(verb, dryRun, ...labels).observe((this.#clock.now() - started) / 1000);
		};
	}
}

/** The subresources that answer with a stream. */
const CONNECTED = SUBRESOURCES.filter(({ stream, duplex, proxy }) => stream || duplex || proxy).map(
	({ name }) => name,
);

/** The values of {@link LABEL_NAMES}. */
function labelsOf(request: ResourceRequest, verb: string): readonly string[] {
	const { definition, subresource } = request;
	return [
		verb,
		definition.group,
		definition.version,
		definition.resource,
		subresource,
		scopeOf(request),
		'apiserver',
	];
}

/** The scope label: one object, a namespace, or the cluster. */
function scopeOf({ name, namespace, call }: ResourceRequest): string {
	if (name !== '' || call.method === 'POST') return 'resource';
	return namespace === '' ? 'cluster' : 'namespace';
}

/**
 * The verb label. Logs and two-way streams are CONNECT and watches WATCH, so that these long requests stay apart from
 * the latency of others.
 */
function verbOf(request: ResourceRequest): string {
	const { call, name, subresource } = request;
	if (CONNECTED.includes(subresource)) return 'CONNECT';
	if (call.method !== 'GET') return call.method;
	if (isWatch(request)) return 'WATCH';
	return name === '' ? 'LIST' : 'GET';
}

/**
 * The dry_run label. Unknown values share one label value, so a client cannot create any number of series.
 */
function dryRunOf({ call }: ResourceRequest): string {
	const asked = call.query.text('dryRun');
	return asked === '' || asked === 'All' ? asked : 'invalid';
}

const LABEL_NAMES = ['group', 'version', 'resource', 'subresource', 'scope', 'component'];

const TOTAL = {
	name: 'apiserver_request_total',
	help: 'Number of API requests that completed. A watch counts when it ends.',
	labelNames: ['verb', 'dry_run', ...LABEL_NAMES, 'code'],
};

/** The buckets are upstream's, so that its dashboards and alerts work. */
const SECONDS = {
	name: 'apiserver_request_duration_seconds',
	help: 'Seconds from the start of an API request until its response was known; for a watch, until it ended.',
	labelNames: ['verb', 'dry_run', ...LABEL_NAMES],
	buckets: [
		0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60,
	],
};

const IN_FLIGHT = {
	name: 'apiserver_current_inflight_requests',
	help: 'Number of API requests in progress, without watches and streams.',
	labelNames: ['request_kind'],
};

const LONG_RUNNING = {
	name: 'apiserver_longrunning_requests',
	help: 'Number of open watches and two-way streams.',
	labelNames: ['verb', ...LABEL_NAMES],
};
