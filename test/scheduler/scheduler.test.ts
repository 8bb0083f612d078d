import assert from 'node:assert/strict';
import test from 'node:test';
import { nodes } from '../../src/api/core/node/definition.ts';
import { pods } from '../../src/api/core/pod/definition.ts';
import type { Pod } from '../../src/api/core/pod/schema.ts';
import { VirtualClock } from '../../src/base/virtual-clock.ts';
import { passTime, startControlPlane } from '../support/control-plane.ts';

function pod(name: string, cpu: string): Pod {
	const containers = [{ name: 'main', image: 'busybox', resources: { requests: { cpu } } }];
	return { apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec: { containers } } as unknown as Pod;
}

const isBound = (object: Pod | undefined): boolean => object?.spec.nodeName !== undefined;
const isRefused = (object: Pod | undefined): boolean =>
	object?.status.conditions?.some(({ type, status }) => type === 'PodScheduled' && status === 'False') ??
	false;

test('a Pod waits for a node, says so, and is bound when one comes', async (t) => {
	const plane = await startControlPlane(t);
	await plane.client.resource(pods, 'default').create(pod('early', '1'));
	const waiting = await plane.until(pods, 'early', isRefused);
	const condition = waiting?.status.conditions?.find(({ type }) => type === 'PodScheduled');
	assert.equal(condition?.reason, 'Unschedulable');
	assert.equal(condition?.message, 'no nodes available to schedule pods');
	await plane.addNode('here', 2);
	const bound = await plane.until(pods, 'early', isBound);
	assert.equal(bound?.spec.nodeName, 'here');
	assert.equal(bound?.status.conditions?.find(({ type }) => type === 'PodScheduled')?.status, 'True');
});

test('a node is never promised more than it has, and what becomes free is given on', async (t) => {
	const plane = await startControlPlane(t);
	const target = plane.client.resource(pods, 'default');
	await plane.addNode('here', 2);
	for (const name of ['one', 'two']) await target.create(pod(name, '1'));
	await Promise.all(['one', 'two'].map((name) => plane.until(pods, name, isBound)));
	await target.create(pod('three', '1'));
	const waiting = await plane.until(pods, 'three', isRefused);
	assert.match(JSON.stringify(waiting?.status.conditions), /0\/1 nodes are available: 1 Insufficient cpu\./);
	const done = await target.get('one');
	await target.update({ ...done, status: { ...done.status, phase: 'Succeeded' } }, 'status');
	await plane.until(pods, 'three', isBound);
});

test('a node that is cordoned takes nothing until it is let go', async (t) => {
	const plane = await startControlPlane(t);
	await plane.addNode('here', 2);
	const target = plane.client.resource(nodes);
	await target.patch('here', 'merge', { spec: { unschedulable: true } });
	await plane.client.resource(pods, 'default').create(pod('patient', '1'));
	await plane.until(pods, 'patient', isRefused);
	await target.patch('here', 'merge', { spec: { unschedulable: null } });
	await plane.until(pods, 'patient', isBound);
});

test('attempts and the Pods that wait are in the metrics', async (t) => {
	const clock = new VirtualClock();
	const plane = await startControlPlane(t, clock);
	const samples = async (name: string): Promise<readonly string[]> =>
		(await plane.metrics.text())
			.split('\n')
			.filter((line) => line.startsWith(`${name}{`))
			.map((line) => line.slice(name.length).replaceAll('"', ''));
	for (const name of ['one', 'two']) await plane.client.resource(pods, 'default').create(pod(name, '1'));
	await passTime(clock, 1000);
	const pending = async (): Promise<string> => (await samples('scheduler_pending_pods')).join();
	assert.equal(await pending(), '{queue=active} 0,{queue=backoff} 0,{queue=unschedulable} 2,{queue=gated} 0');
	await plane.addNode('here', 1);
	await passTime(clock, 1000);
	assert.equal(await pending(), '{queue=active} 0,{queue=backoff} 0,{queue=unschedulable} 1,{queue=gated} 0');
	assert.deepEqual(await samples('scheduler_schedule_attempts_total'), [
		'{result=unschedulable,profile=default-scheduler} 3',
		'{result=scheduled,profile=default-scheduler} 1',
	]);
	assert.deepEqual(await samples('scheduler_scheduling_attempt_duration_seconds_count'), [
		'{result=unschedulable,profile=default-scheduler} 3',
		'{result=scheduled,profile=default-scheduler} 1',
	]);
});
