import assert from 'node:assert/strict';
import test from 'node:test';
import { jobs } from '../api/batch/job/definition.ts';
import type { ApiRequest, ApiTransport } from '../api/contract/transport.ts';
import { pods } from '../api/core/pod/definition.ts';
import { SeededRandom } from '../base/testing/seeded-random.ts';
import { VirtualClock } from '../base/testing/virtual-clock.ts';
import { Client } from './client.ts';
import { Informers } from './informers.ts';

test('when an informer fails, run() rejects with its error after the others have ended', async () => {
	let watching = 0;
	const transport = {
		request: ({ path }: ApiRequest) =>
			path.endsWith('/pods')
				? Promise.reject(new Error('refused'))
				: Promise.resolve({ code: 200, object: { metadata: { resourceVersion: '1' }, items: [] } }),
		watch: () => {
			watching += 1;
			return Promise.resolve({ stop: () => void watching-- });
		},
	};
	const client = new Client(transport as unknown as ApiTransport);
	const informers = new Informers({
		...{ client, clock: new VirtualClock(), random: new SeededRandom(1) },
		onError: (resource, error) => {
			throw new Error(`${resource}: ${String(error)}`);
		},
	});
	const others = informers.of(jobs);
	informers.of(pods);
	await assert.rejects(informers.run(new AbortController().signal), /^Error: \/pods: Error: refused$/);
	assert.equal(watching, 0);
	assert.equal(await others.reached('9'), false);
});
