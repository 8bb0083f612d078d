import { readdirSync, readFileSync } from 'node:fs';
import type { Clock } from '../base/clock.ts';
import type { Metrics } from '../base/metrics.ts';

/**
 * Adds what every Prometheus client tells of its process (`process_*`) and what prom-client tells of
 * Node's memory. All is read at the scrape, so that nobody pays for it who does not ask. prom-client's
 * own would start counting the CPU only when they are loaded, and load OpenTelemetry.
 */
export function addProcessMetrics(metrics: Metrics, clock: Clock): void {
	addCpu(metrics);
	addMemory(metrics);
	addDescriptors(metrics);
	const started = {
		name: 'process_start_time_seconds',
		help: 'When the process began, in seconds since 1970.',
	};
	metrics.readGauge(started, (report) => report(Math.round(clock.now() / 1000 - process.uptime())));
}

function addCpu(metrics: Metrics): void {
	const add = (name: string, help: string, microseconds: (usage: NodeJS.CpuUsage) => number): void =>
		metrics.readCounter({ name, help }, (report) => report(microseconds(process.cpuUsage()) / 1e6));
	add('process_cpu_user_seconds_total', 'Time of CPUs spent in the program.', ({ user }) => user);
	add('process_cpu_system_seconds_total', 'Time of CPUs spent in the system.', ({ system }) => system);
	add('process_cpu_seconds_total', 'Time of CPUs spent.', ({ user, system }) => user + system);
}

function addMemory(metrics: Metrics): void {
	const add = (name: string, help: string, bytes: (usage: NodeJS.MemoryUsage) => number): void =>
		metrics.readGauge({ name, help }, (report) => report(bytes(process.memoryUsage())));
	add('process_resident_memory_bytes', 'Memory that is in use and present.', ({ rss }) => rss);
	add('nodejs_heap_size_total_bytes', 'Size of the heap.', ({ heapTotal }) => heapTotal);
	add('nodejs_heap_size_used_bytes', 'What of the heap is in use.', ({ heapUsed }) => heapUsed);
	add('nodejs_external_memory_bytes', 'Memory of objects outside the heap.', ({ external }) => external);
	const virtual = { name: 'process_virtual_memory_bytes', help: 'Memory that is reserved.' };
	metrics.readGauge(virtual, (report) => {
		const kilobytes = readNumber('/proc/self/status', /^VmSize:\s+(\d+) kB$/m);
		if (kilobytes !== undefined) report(kilobytes * 1024);
	});
}

function addDescriptors(metrics: Metrics): void {
	metrics.readGauge({ name: 'process_open_fds', help: 'Open file descriptors.' }, (report) => {
		const count = openDescriptors();
		if (count !== undefined) report(count);
	});
	metrics.readGauge({ name: 'process_max_fds', help: 'The most that may be open.' }, (report) => {
		const limit = readNumber('/proc/self/limits', /^Max open files\s+(\d+)/m);
		if (limit !== undefined) report(limit);
	});
}

/** One is that of the reading itself. Undefined where the system does not tell. */
function openDescriptors(): number | undefined {
	try {
		return readdirSync('/proc/self/fd').length - 1;
	} catch {
		return undefined;
	}
}

function readNumber(path: string, pattern: RegExp): number | undefined {
	try {
		const text = pattern.exec(readFileSync(path, 'latin1'))?.[1];
		return text === undefined ? undefined : Number(text);
	} catch {
		return undefined;
	}
}
