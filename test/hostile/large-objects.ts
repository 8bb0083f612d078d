import {
	bodyOf,
	entries,
	type HostileRequest,
	JOBS,
	JSON_TYPE,
	job,
	LARGE,
	PROTOBUF,
	type Row,
	request,
	times,
} from './parts.ts';
import { labelsOfProtobuf } from './posts.ts';

/**
 * Requests with more values than the limit for objects without a controller. The limit is higher for objects
 * with a controller reference, because controllers have to send what they derive from other objects.
 */

const CONTROLLED = {
	ownerReferences: [{ ...{ apiVersion: 'v1', kind: 'Pod', name: 'p', uid: 'u' }, controller: true }],
};

/** Bodies of a POST of a Job with a controller reference. */
const OF_CONTROLLERS: readonly Row[] = [
	['49,000 labels', 201, JSON_TYPE, job({ ...CONTROLLED, labels: entries(49_000) })],
	['49,000 wrong labels', 422, JSON_TYPE, job({ ...CONTROLLED, labels: entries(49_000, ' ') })],
	[
		'15,000 variables',
		201,
		JSON_TYPE,
		job(CONTROLLED, {}, { env: times(15_000, (i) => ({ name: `E${i}`, value: '$(E1)$(E2)' })) }),
	],
	[
		'6,500 containers',
		201,
		JSON_TYPE,
		job(CONTROLLED, { containers: times(6_500, (i) => ({ name: `c${i}`, image: 'b' })) }),
	],
	['49,000 arguments', 201, JSON_TYPE, job(CONTROLLED, {}, { args: times(49_000, () => '$(A)$(B)') })],
	['49,000 unknown fields', 201, JSON_TYPE, job(CONTROLLED, {}, {}, entries(49_000))],
];

/** Bodies of a PUT of a Job. */
const REPLACEMENTS: readonly Row[] = [
	['150,000 labels', 413, JSON_TYPE, job({ name: LARGE, labels: entries(150_000) })],
	['150,000 wrong labels', 413, JSON_TYPE, job({ name: LARGE, labels: entries(150_000, ' ') })],
	['150,000 finalizers', 413, JSON_TYPE, job({ name: LARGE, finalizers: times(150_000, (i) => `f${i}`) })],
	['200,000 labels of protobuf', 413, PROTOBUF, labelsOfProtobuf(200_000)],
	// The most that the reader decodes before the size of the object is checked.
	['47,000 labels of protobuf', 413, PROTOBUF, labelsOfProtobuf(47_000)],
	['150,000 unknown fields', 413, JSON_TYPE, job({ name: LARGE }, {}, {}, entries(150_000))],
	[
		'40,000 variables',
		413,
		JSON_TYPE,
		job({ name: LARGE }, {}, { env: times(40_000, (i) => ({ name: `E${i}`, value: 'v' })) }),
	],
];

/** Bodies of a PUT of a Job's status. */
const STATUSES: readonly Row[] = [
	['150,000 labels', 413, JSON_TYPE, job({ name: LARGE, labels: entries(150_000) })],
	['45,000 unknown fields', 200, JSON_TYPE, { ...job({ name: LARGE }), status: entries(45_000) }],
	[
		'30,000 conditions',
		200,
		JSON_TYPE,
		{
			...job({ name: LARGE }),
			status: { conditions: times(30_000, (i) => ({ type: `T${i}`, status: 'True' })) },
		},
	],
];

/** Every request, in order. All are dry runs, so they change nothing. */
export const LARGE_OBJECTS: readonly HostileRequest[] = [
	...OF_CONTROLLERS.map(([name, status, contentType, body]) => ({
		...request('POST', `${JOBS}?dryRun=All`, bodyOf(contentType, body)),
		name: `a POST of a controller's Job with ${name}`,
		status,
	})),
	...REPLACEMENTS.map(([name, status, contentType, body]) => ({
		...request('PUT', `${JOBS}/${LARGE}?dryRun=All`, bodyOf(contentType, body)),
		name: `a PUT with ${name}`,
		status,
	})),
	...STATUSES.map(([name, status, contentType, body]) => ({
		...request('PUT', `${JOBS}/${LARGE}/status?dryRun=All`, bodyOf(contentType, body)),
		name: `a PUT of a status with ${name}`,
		status,
	})),
];
