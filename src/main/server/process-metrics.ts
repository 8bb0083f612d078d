import { readdirSync, readFileSync } from 'node:fs';
import type { Clock } from '../../base/clock.ts';
import { descriptorLimit } from '../../base/files/descriptor-limit.ts';
import type { Metrics } from '../../base/metrics.ts';

/**
 * Adds the process metrics of all Prometheus clients (`process_*`) and prom-client's metrics of Node's memory
 * (`nodejs_*`). The values are read at each scrape, so a server that is not scraped does no work for them.
 * prom-client's collectDefaultMetrics is not used: it counts CPU time only from when it is called, and loads
 * OpenTelemetry.
 */
export function addProcessMetrics(metrics: Metrics, clock: Clock): void {
	addCpu(metrics);
	addMemory(metrics);
	addDescriptors(metrics);
	const started = {
		name: 'process_start_time_seconds',
		help: 'Start time of the process, in seconds since the Unix epoch.',
	};
	metrics.readGauge(started, (report) => report(Math.round(clock.now() / 1000 - process.uptime())));
}

function addCpu(metrics: Metrics): void {
	const add = (name: string, help: string, microseconds: (usage: NodeJS.CpuUsage) => number): void =>
		metrics.readCounter({ name, help }, (report) => report(microseconds(process.cpuUsage()) / 1e6));
	add('process_cpu_user_seconds_total', 'User CPU time of the process, in seconds.', ({ user }) => user);
	add(
		'process_cpu_system_seconds_total',
		'System CPU time of the process, in seconds.',
		({ system }) => system,
	);
	add(
		'process_cpu_seconds_total',
		'User and system CPU time of the process, in seconds.',
		({ user, system }) => user + system,
	);
}

function addMemory(metrics: Metrics): void {
	const add = (name: string, help: string, bytes: (usage: NodeJS.MemoryUsage) => number): void =>
		metrics.readGauge({ name, help }, (report) => report(bytes(process.memoryUsage())));
	add('process_resident_memory_bytes', 'Resident memory of the process, in bytes.', ({ rss }) => rss);
	add('nodejs_heap_size_total_bytes', 'Size of the JavaScript heap, in bytes.', ({ heapTotal }) => heapTotal);
	add(
		'nodejs_heap_size_used_bytes',
		'Used part of the JavaScript heap, in bytes.',
		({ heapUsed }) => heapUsed,
	);
	add(
		'nodejs_external_memory_bytes',
		'Memory of C++ objects bound to JavaScript objects, in bytes.',
		({ external }) => external,
	);
	const virtual = { name: 'process_virtual_memory_bytes', help: 'Virtual memory of the process, in bytes.' };
	metrics.readGauge(virtual, (report) => {
		const kilobytes = readNumber('/proc/self/status', /^VmSize:\s+(\d+) kB$/m);
		if (kilobytes !== undefined) report(kilobytes * 1024);
	});
}

/** On Linux only: without /proc these metrics have no value. */
function addDescriptors(metrics: Metrics): void {
	metrics.readGauge({ name: 'process_open_fds', help: 'Number of open file descriptors.' }, (report) => {
		const count = openDescriptors();
		if (count !== undefined) report(count);
	});
	metrics.readGauge(
		{ name: 'process_max_fds', help: 'Maximum number of open file descriptors (soft limit).' },
		(report) => {
			const limit = descriptorLimit();
			if (limit !== undefined) report(limit);
		},
	);
}

/** The open file descriptors without the one of this reading; undefined without /proc. */
function openDescriptors(): number | undefined {
	try {
		return readdirSync('/proc/self/fd').length - 1;
	} catch {
		return undefined;
	}
}

/** The first group of `pattern` in a file of /proc; undefined if the file or the line does not exist. */
function readNumber(path: string, pattern: RegExp): number | undefined {
	try {
		const text = pattern.exec(readFileSync(path, 'latin1'))?.[1];
		return text === undefined ? undefined : Number(text);
	} catch {
		return undefined;
	}
}
