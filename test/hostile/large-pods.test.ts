import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import test from 'node:test';
import { jobs } from '../../src/api/batch/job/definition.ts';
import type { Job } from '../../src/api/batch/job/schema.ts';
import type { ResourceDefinition } from '../../src/api/contract/resource-definition.ts';
import { pods } from '../../src/api/core/pod/definition.ts';
import type { Pod } from '../../src/api/core/pod/schema.ts';
import type { KubeObject } from '../../src/api/meta/object-meta.ts';
import { Client } from '../../src/client/client.ts';
import { readKubeconfig } from '../../src/client/kubeconfig/kubeconfig.ts';
import { HttpTransport } from '../../src/client/transport/http-node.ts';
import { LONGEST_HOLD_MS, startGuarded } from './guarded-server.ts';

/** Pods so large that processing them in a component, and not a single request, could block the event loop. */

/** Creates the object and resolves once `isOver` is true for it. */
async function runToEnd<T extends KubeObject>(
	client: Client,
	definition: ResourceDefinition<T>,
	{ object, isOver }: { readonly object: T; isOver(object: T): boolean },
): Promise<void> {
	const target = client.resource(definition, 'default');
	const created = await target.create(object);
	const over = Promise.withResolvers<void>();
	const watch = await target.watch(
		{ resourceVersion: created.metadata.resourceVersion ?? '' },
		{
			events: (batch) => {
				for (const event of batch) if (event.type === 'MODIFIED' && isOver(event.object)) over.resolve();
			},
			ended: (error) => over.reject(error),
		},
	);
	await over.promise;
	watch.stop();
}

function podSpec(containers: number, env: Pod['spec']['containers'][number]['env'] = []): Pod['spec'] {
	return {
		restartPolicy: 'Never',
		containers: Array.from({ length: containers }, (_, index) => ({
			name: `c${index}`,
			image: 'busybox',
			command: ['true'],
			env,
		})),
	};
}

test('no large Pod blocks the event loop between creation and end', async (t) => {
	const { heldMs, kubeconfig } = await startGuarded(t);
	const access = await readKubeconfig([{ path: kubeconfig, text: readFileSync(kubeconfig, 'utf8') }], {
		readFile: (path) => readFile(path, 'utf8'),
	});
	const transport = new HttpTransport(access);
	t.after(() => transport.close());
	const client = new Client(transport);

	await t.test('a Pod with 1,200 containers', async () => {
		await heldMs();
		const object: Pod = {
			apiVersion: 'v1',
			kind: 'Pod',
			metadata: { name: 'many-containers' },
			spec: podSpec(1200),
			status: {},
		};
		await runToEnd(client, pods, { object, isOver: ({ status }) => status.phase === 'Succeeded' });
		const held = await heldMs();
		assert.ok(held < LONGEST_HOLD_MS, `the event loop was held for ${held} ms of CPU time`);
	});

	await t.test('60 concurrent Pods with 6,000 environment variables each', async () => {
		await heldMs();
		const env = Array.from({ length: 6000 }, (_, index) => ({ name: `E${index}`, value: 'x'.repeat(180) }));
		const object: Job = {
			apiVersion: 'batch/v1',
			kind: 'Job',
			metadata: { name: 'many-variables' },
			spec: { completions: 60, parallelism: 60, template: { metadata: {}, spec: podSpec(1, env) } },
			status: {},
		};
		await runToEnd(client, jobs, { object, isOver: ({ status }) => status.completionTime !== undefined });
		const held = await heldMs();
		assert.ok(held < LONGEST_HOLD_MS, `the event loop was held for ${held} ms of CPU time`);
	});
});
