import assert from 'node:assert/strict';
import test from 'node:test';
import type { JsonRecord } from '../base/json/json.ts';
import { cronjobs } from './batch/cronjob/definition.ts';
import { jobs } from './batch/job/definition.ts';
import { events } from './core/event/definition.ts';
import { namespaces } from './core/namespace/definition.ts';
import { nodes } from './core/node/definition.ts';
import { pods } from './core/pod/definition.ts';
import { decode } from './schema/decode.ts';
import type { ObjectNode } from './schema/schema.ts';

/** For objects with only the fields in `given`: the JSON to which Go marshals upstream's types of 1.37. */
const WRITTEN: readonly {
	readonly of: { readonly schema: ObjectNode };
	readonly given: object;
	readonly written: object;
}[] = [
	{ of: jobs, given: { spec: { template: {} } }, written: { spec: { template: { metadata: {} } } } },
	{
		of: jobs,
		given: { status: { conditions: [{ type: 'Complete', status: 'True' }] } },
		written: {
			status: {
				conditions: [{ type: 'Complete', status: 'True', lastProbeTime: null, lastTransitionTime: null }],
			},
		},
	},
	{
		of: cronjobs,
		given: {},
		written: { spec: { jobTemplate: { metadata: {}, spec: { template: { metadata: {} } } } }, status: {} },
	},
	{
		of: pods,
		given: {
			status: {
				conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: '2026-01-31T08:00:00Z' }],
				containerStatuses: [{ name: 'a' }],
				initContainerStatuses: [{ name: 'b', state: { running: {} }, lastState: { terminated: {} } }],
			},
		},
		written: {
			status: {
				conditions: [
					{ type: 'Ready', status: 'True', lastProbeTime: null, lastTransitionTime: '2026-01-31T08:00:00Z' },
				],
				containerStatuses: [{ name: 'a', state: {}, lastState: {} }],
				initContainerStatuses: [
					{
						name: 'b',
						state: { running: { startedAt: null } },
						lastState: { terminated: { exitCode: 0, startedAt: null, finishedAt: null } },
					},
				],
			},
		},
	},
	{
		of: pods,
		given: {
			spec: {
				containers: [
					{ name: 'a', env: [{ name: 'A', valueFrom: { resourceFieldRef: { resource: 'limits.cpu' } } }] },
				],
				volumes: [
					{
						name: 'v',
						ephemeral: { volumeClaimTemplate: { spec: { dataSource: { kind: 'A', name: 'b' } } } },
					},
					{ name: 'w', ephemeral: { volumeClaimTemplate: { spec: { dataSourceRef: { apiGroup: '' } } } } },
					{
						name: 'd',
						downwardAPI: { items: [{ path: 'p', resourceFieldRef: { resource: 'limits.cpu' } }] },
					},
				],
			},
		},
		written: {
			spec: {
				containers: [
					{ name: 'a', env: [{ valueFrom: { resourceFieldRef: { resource: 'limits.cpu', divisor: '0' } } }] },
				],
				volumes: [
					{
						ephemeral: {
							volumeClaimTemplate: { metadata: {}, spec: { resources: {}, dataSource: { apiGroup: null } } },
						},
					},
					{ ephemeral: { volumeClaimTemplate: { metadata: {}, spec: { dataSourceRef: { apiGroup: '' } } } } },
					{ downwardAPI: { items: [{ resourceFieldRef: { divisor: '0' } }] } },
				],
			},
		},
	},
	{
		of: events,
		given: { series: {} },
		written: {
			involvedObject: {},
			source: {},
			...{ firstTimestamp: null, lastTimestamp: null, eventTime: null },
			series: { lastObservedTime: null },
			...{ reportingComponent: '', reportingInstance: '' },
		},
	},
	{
		of: namespaces,
		given: { status: { conditions: [{}] } },
		written: { spec: {}, status: { conditions: [{ type: '', status: '', lastTransitionTime: null }] } },
	},
	{
		of: nodes,
		given: { status: { conditions: [{}] } },
		written: {
			spec: {},
			status: {
				conditions: [{ lastHeartbeatTime: null, lastTransitionTime: null }],
				daemonEndpoints: { kubeletEndpoint: { Port: 0 } },
				nodeInfo: { machineID: '', kubeletVersion: '', architecture: '' },
			},
		},
	},
];

for (const { of, given, written } of WRITTEN) {
	test(`${of.schema.name.replace(/.*\./, '')} is written with ${JSON.stringify(written).slice(0, 80)}`, () => {
		const { value } = decode(of.schema, given);
		assert.partialDeepStrictEqual(value, written);
		// Decoding the stored form again changes nothing, so it returns the object itself.
		assert.equal(decode(of.schema, value).value, value);
	});
}

test('null counts as absent in fields that are not nullable', () => {
	const given: JsonRecord = { metadata: null, spec: null, status: { conditions: null, startTime: null } };
	assert.deepEqual(decode(pods.schema, given).value, decode(pods.schema, {}).value);
});
