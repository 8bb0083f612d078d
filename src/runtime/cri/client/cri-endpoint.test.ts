import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findCriEndpoint } from './cri-endpoint.ts';

const VARIABLE = { CONTAINER_RUNTIME_ENDPOINT: 'unix:///run/variable.sock' };

test('the endpoint that the user gives comes before that of crictl, and that before the usual sockets', () => {
	const exists = (path: string): boolean => path === '/run/crio/crio.sock';
	const at = (endpoint: string): unknown => findCriEndpoint({ endpoint, env: VARIABLE, exists });
	assert.deepEqual(at('unix:///run/given.sock'), { socketPath: '/run/given.sock' });
	assert.deepEqual(at('/run/given.sock'), { socketPath: '/run/given.sock' });
	assert.deepEqual(findCriEndpoint({ env: VARIABLE, exists }), { socketPath: '/run/variable.sock' });
	assert.deepEqual(findCriEndpoint({ env: {}, exists }), { socketPath: '/run/crio/crio.sock' });
});

test('a runtime of another machine is refused, and all sockets are named if none exists', () => {
	const problem = (endpoint: string | undefined): string => {
		const found = findCriEndpoint({ ...(endpoint && { endpoint }), env: {}, exists: () => false });
		return 'problem' in found ? found.problem : '';
	};
	assert.match(problem('tcp://10.0.0.1:5000'), /"tcp:\/\/10\.0\.0\.1:5000": only a socket of this machine/);
	assert.match(
		problem(undefined),
		/containerd\.sock, \/run\/crio\/crio\.sock, .* --runtime cri=unix:\/\/PATH$/,
	);
});
