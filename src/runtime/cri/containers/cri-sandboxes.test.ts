import assert from 'node:assert/strict';
import test from 'node:test';
import { sandboxConfig } from '../../testing/configs.ts';
import { type CriClient, CriError } from '../client/cri-client.ts';
import { CriSandboxes } from './cri-sandboxes.ts';

/** A runtime that refuses to run a sandbox, and keeps the record of it in this state: 0 is ready. */
function runtimeThatKeeps(state: 0 | 1): { readonly sandboxes: CriSandboxes; readonly calls: string[] } {
	const calls: string[] = [];
	const kept: object[] = [];
	const answers: Readonly<Record<string, (request: { readonly config?: object }) => object>> = {
		RunPodSandbox: ({ config = {} }) => {
			kept.push({ id: 'a', state, createdAt: 0, ...config });
			throw new CriError(2, 'failed to setup network');
		},
		ListPodSandbox: () => ({ items: kept }),
		PodSandboxStatus: () => ({}),
		RemovePodSandbox: () => {
			kept.pop();
			return {};
		},
	};
	// Of the client, only its calls matter here.
	const client: object = {
		call: async ({ path }: { readonly path: string }, request: object) => {
			const name = path.split('/').at(-1) ?? '';
			calls.push(name);
			return answers[name]?.(request);
		},
	};
	const facts = { owner: { id: 'o', folder: '/data' }, hasPodNetwork: true, resolvConf: '' };
	return {
		sandboxes: new CriSandboxes({ client: client as CriClient, facts: async () => facts }),
		calls,
	};
}

test('a sandbox that the runtime has refused is removed if the runtime keeps it', async () => {
	const { sandboxes, calls } = runtimeThatKeeps(1);
	const message = 'rpc error: code = Unknown desc = failed to setup network';
	await assert.rejects(sandboxes.run(sandboxConfig('a')), { message });
	assert.equal(calls.at(-1), 'RemovePodSandbox');
	assert.deepEqual(await sandboxes.list(), []);
});

test('a sandbox is there if only the answer about its creation was an error', async () => {
	const { sandboxes } = runtimeThatKeeps(0);
	assert.equal((await sandboxes.run(sandboxConfig('a'))).state, 'ready');
});
