import assert from 'node:assert/strict';
import test from 'node:test';
import { apiServerVariables } from './service-variables.ts';

test('the variables of the API server are those of the Service kubernetes', () => {
	const texts = apiServerVariables('https://127.0.0.1:6443').map(({ name, value }) => `${name}=${value}`);
	assert.deepEqual(texts, [
		'KUBERNETES_SERVICE_HOST=127.0.0.1',
		'KUBERNETES_SERVICE_PORT=6443',
		'KUBERNETES_SERVICE_PORT_HTTPS=6443',
		'KUBERNETES_PORT=tcp://127.0.0.1:6443',
		'KUBERNETES_PORT_6443_TCP=tcp://127.0.0.1:6443',
		'KUBERNETES_PORT_6443_TCP_PROTO=tcp',
		'KUBERNETES_PORT_6443_TCP_PORT=6443',
		'KUBERNETES_PORT_6443_TCP_ADDR=127.0.0.1',
	]);
	assert.deepEqual(
		apiServerVariables('https://[::1]')
			.slice(0, 4)
			.map(({ value }) => value),
		['::1', '443', '443', 'tcp://[::1]:443'],
	);
	assert.deepEqual(apiServerVariables(undefined), []);
});
