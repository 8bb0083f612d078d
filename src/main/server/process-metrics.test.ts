import assert from 'node:assert/strict';
import test from 'node:test';
import { SystemClock } from '../../base/clock.ts';
import { Metrics } from '../../base/metrics.ts';
import { addProcessMetrics } from './process-metrics.ts';

test('the metrics of the process are read at each scrape', async () => {
	const metrics = new Metrics();
	const clock = new SystemClock();
	addProcessMetrics(metrics, clock);
	const values = async (): Promise<ReadonlyMap<string, number>> =>
		new Map(
			[...(await metrics.text()).matchAll(/^(\w+) ([\d.e+-]+)$/gm)].map(([, name = '', value]) => [
				name,
				Number(value),
			]),
		);
	const before = await values();
	const until = performance.now() + 30;
	while (performance.now() < until);
	const after = await values();
	const cpu = (of: ReadonlyMap<string, number>): number => of.get('process_cpu_seconds_total') ?? 0;
	assert.ok(cpu(before) > 0);
	assert.ok(cpu(after) > cpu(before));
	const startedSeconds = before.get('process_start_time_seconds') ?? 0;
	assert.ok(Math.abs(startedSeconds - (clock.now() / 1000 - process.uptime())) < 2);
	assert.ok((before.get('process_resident_memory_bytes') ?? 0) > 10e6);
	assert.ok((before.get('nodejs_heap_size_used_bytes') ?? 0) > 1e6);
	if (process.platform !== 'linux') return;
	assert.ok((before.get('process_virtual_memory_bytes') ?? 0) > 10e6);
	assert.ok((before.get('process_open_fds') ?? 0) > 3);
	assert.ok((before.get('process_max_fds') ?? 0) >= (before.get('process_open_fds') ?? 0));
});
