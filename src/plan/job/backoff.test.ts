import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type { Pod } from '../../api/core/pod/schema.ts';
import { formatTime } from '../../api/meta/time.ts';
import {
	type BackoffHistory,
	finishTime,
	NO_HISTORY,
	observeFinished,
	remainingBackoffMs,
} from './backoff.ts';

const START = Date.UTC(2026, 0, 1);

function at(seconds: number): string {
	return formatTime(START + seconds * 1000);
}

function pod(uid: string, metadata: Pod['metadata'], status: Pod['status']): Pod {
	return { apiVersion: 'v1', kind: 'Pod', metadata: { uid, ...metadata }, spec: { containers: [] }, status };
}

function ended(uid: string, ...seconds: readonly number[]): Pod {
	const containerStatuses = seconds.map((second, index) => ({
		name: `c${index}`,
		ready: false,
		restartCount: 0,
		image: '',
		imageID: '',
		state: { terminated: { exitCode: 1, finishedAt: at(second) } },
	}));
	return pod(uid, { creationTimestamp: at(0) }, { containerStatuses });
}

test('the finish time of a Pod is that of its last container, else that of the next best evidence', () => {
	const [running] = ended('x', 1).status.containerStatuses ?? [];
	assert.ok(running);
	const unready = { type: 'Ready', status: 'False' as const, lastTransitionTime: at(30) };
	const deletion = { creationTimestamp: at(0), deletionTimestamp: at(50), deletionGracePeriodSeconds: 10 };
	const rows: readonly (readonly [string, Pod, number])[] = [
		['the latest of its containers', ended('a', 5, 9, 7), 9],
		[
			'not all containers ended: Ready=False',
			pod('a', deletion, { conditions: [unready], containerStatuses: [{ ...running, state: {} }] }),
			30,
		],
		[
			'a sidecar that ended after them, not another init container',
			{
				...ended('a', 5),
				spec: { containers: [], initContainers: [{ name: 'c0', restartPolicy: 'Always' }, { name: 'c1' }] },
				status: {
					...ended('a', 5).status,
					initContainerStatuses: ended('a', 7, 9).status.containerStatuses ?? [],
				},
			},
			7,
		],
		['deletion without its grace', pod('a', deletion, {}), 40],
		['nothing else: its creation', pod('a', { creationTimestamp: at(3) }, {}), 3],
	];
	for (const [name, given, seconds] of rows) assert.equal(finishTime(given), START + seconds * 1000, name);
});

test('the delay doubles from ten seconds to ten minutes, measured from the last failure', () => {
	const delays = [0, 10, 20, 40, 80, 160, 320, 600, 600];
	for (const [failures, seconds] of delays.entries()) {
		const failed = Array.from({ length: failures }, (_, index) => ended(`f${index}`, 100));
		const history = observeFinished(NO_HISTORY, { succeeded: [], failed });
		assert.equal(remainingBackoffMs(history, START + 100_000), seconds * 1000);
		assert.equal(remainingBackoffMs(history, START + 105_000), Math.max(0, seconds - 5) * 1000);
		assert.equal(remainingBackoffMs(history, START + 10_000_000), 0);
	}
});

test('a success resets the failures before it, but not those after it', () => {
	const failed = [ended('a', 10), ended('b', 20), ended('c', 30)];
	const history = observeFinished(NO_HISTORY, { succeeded: [ended('s', 20)], failed });
	assert.deepEqual(history.failures, [{ uid: 'c', finishedMs: START + 30_000 }]);
});

test('a failure in the same second as the last success counts if it was observed later', () => {
	const [success, failure] = [ended('s', 20), ended('f', 20)];
	const see = (history: BackoffHistory, succeeded: readonly Pod[], failed: readonly Pod[]): BackoffHistory =>
		observeFinished(history, { succeeded, failed });
	assert.equal(see(NO_HISTORY, [success], [failure]).failures.length, 0);
	assert.equal(see(see(NO_HISTORY, [], [failure]), [success], []).failures.length, 0);
	assert.equal(see(see(NO_HISTORY, [success], []), [], [failure]).failures.length, 1);
});

test('the backoff history depends on the Pods alone, not on when and how often they were observed', () => {
	// No success and failure in the same second.
	const event = fc
		.record({ good: fc.boolean(), moment: fc.nat(20) })
		.map(({ good, moment }) => ({ good, second: 2 * moment + (good ? 1 : 0) }));
	fc.assert(
		fc.property(fc.array(event, { maxLength: 30 }), fc.array(fc.nat(29)), (events, again) => {
			const pods = events.map(({ good, second }, index) => ({ good, pod: ended(`p${index}`, second) }));
			const see = (history: BackoffHistory, seen: typeof pods): BackoffHistory =>
				observeFinished(history, {
					succeeded: seen.filter(({ good }) => good).map((each) => each.pod),
					failed: seen.filter(({ good }) => !good).map((each) => each.pod),
				});
			const atOnce = see(NO_HISTORY, pods);
			let piecemeal = NO_HISTORY;
			const repeated = [...again.flatMap((index) => pods[index] ?? []), ...pods.toReversed()];
			for (const each of repeated) piecemeal = see(piecemeal, [each]);
			assert.deepEqual(piecemeal, atOnce);
		}),
	);
});
