import assert from 'node:assert/strict';
import test from 'node:test';
import type { Service } from '../../../api/core/service/schema.ts';
import { serviceWith } from '../../../api/core/service/testing/service-with.ts';
import { type ServiceVariableSources, serviceVariables } from './service-variables.ts';

const NONE: ServiceVariableSources = {
	services: [],
	namespace: 'default',
	apiServerUrl: 'https://127.0.0.1:6443',
};

function texts(sources: Partial<ServiceVariableSources>): readonly string[] {
	return serviceVariables({ ...NONE, ...sources }).map(({ name, value }) => `${name}=${value}`);
}

const API_SERVER = [
	'KUBERNETES_SERVICE_HOST=127.0.0.1',
	'KUBERNETES_SERVICE_PORT=6443',
	'KUBERNETES_SERVICE_PORT_HTTPS=6443',
	'KUBERNETES_PORT=tcp://127.0.0.1:6443',
	'KUBERNETES_PORT_6443_TCP=tcp://127.0.0.1:6443',
	'KUBERNETES_PORT_6443_TCP_PROTO=tcp',
	'KUBERNETES_PORT_6443_TCP_PORT=6443',
	'KUBERNETES_PORT_6443_TCP_ADDR=127.0.0.1',
];

function service(name: string, namespace: string, spec: object = {}): Service {
	const given = {
		clusterIP: '127.96.0.9',
		ports: [
			{ port: 53, protocol: 'UDP', name: 'dns-udp' },
			{ port: 80, name: 'web' },
		],
	};
	return serviceWith({ ...given, ...spec }, {}, { name, namespace });
}

test('the variables of the API server lead to its listener', () => {
	assert.deepEqual(texts({ services: [service('kubernetes', 'default')] }), API_SERVER);
	assert.deepEqual(
		serviceVariables({ ...NONE, apiServerUrl: 'https://[::1]' })
			.slice(0, 4)
			.map(({ value }) => value),
		['::1', '443', '443', 'tcp://[::1]:443'],
	);
	assert.deepEqual(texts({ apiServerUrl: undefined }), []);
});

test('the Services of the namespace that have an address have the variables of upstream', () => {
	const services = [
		service('my-db', 'default'),
		service('headless', 'default', { clusterIP: 'None' }),
		service('alias', 'default', { clusterIP: undefined, type: 'ExternalName' }),
	];
	assert.deepEqual(texts({ services }).slice(API_SERVER.length), [
		'MY_DB_SERVICE_HOST=127.96.0.9',
		'MY_DB_SERVICE_PORT=53',
		'MY_DB_SERVICE_PORT_DNS_UDP=53',
		'MY_DB_SERVICE_PORT_WEB=80',
		'MY_DB_PORT=udp://127.96.0.9:53',
		'MY_DB_PORT_53_UDP=udp://127.96.0.9:53',
		'MY_DB_PORT_53_UDP_PROTO=udp',
		'MY_DB_PORT_53_UDP_PORT=53',
		'MY_DB_PORT_53_UDP_ADDR=127.96.0.9',
		'MY_DB_PORT_80_TCP=tcp://127.96.0.9:80',
		'MY_DB_PORT_80_TCP_PROTO=tcp',
		'MY_DB_PORT_80_TCP_PORT=80',
		'MY_DB_PORT_80_TCP_ADDR=127.96.0.9',
	]);
	const own = texts({ services: [service('kubernetes', 'elsewhere')], namespace: 'elsewhere' });
	assert.equal(own[API_SERVER.length], 'KUBERNETES_SERVICE_HOST=127.96.0.9', 'the later value counts');
});
