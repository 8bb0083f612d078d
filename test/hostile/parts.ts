import type { FuzzRequest } from '../fuzz/requests.ts';

/** A request that tries to block the server's event loop. */
export interface HostileRequest extends FuzzRequest {
	readonly name: string;
	/** The expected HTTP status. */
	readonly status: number;
}

/** The path of the Jobs. */
export const JOBS = '/apis/batch/v1/namespaces/default/jobs';
/** The path of the CronJobs. */
export const CRON_JOBS = '/apis/batch/v1/namespaces/default/cronjobs';
/** The path of the Pods. */
export const PODS = '/api/v1/namespaces/default/pods';
/** The path of the Nodes. */
export const NODES = '/api/v1/nodes';
/** The name of a Job with about 20,000 values, which the test creates before it sends the requests. */
export const LARGE = 'large';

export const JSON_TYPE = 'application/json';
export const YAML_TYPE = 'application/yaml';
export const MERGE = 'application/merge-patch+json';
export const STRATEGIC = 'application/strategic-merge-patch+json';
export const JSON_PATCH = 'application/json-patch+json';
export const PROTOBUF = 'application/vnd.kubernetes.protobuf';

/** The Accept header of clients that show a Table. */
export const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io';

/** A request about objects that earlier steps have stored, so that the order of the steps matters. */
export type Step = readonly [
	name: string,
	status: number,
	method: string,
	path: string,
	body?: readonly [contentType: string, content: string | object],
	accept?: string,
];

/** A step that creates an object. */
export function create(collection: string, name: string, content: object): Step {
	return [`a POST of ${name}`, 201, 'POST', collection, [JSON_TYPE, content]];
}

/** The name, the expected status, and the body of a request. */
export type Row = readonly [
	name: string,
	status: number,
	contentType: string,
	body: string | Uint8Array | object,
];

/** A list of `count` entries. */
export function times<T>(count: number, entry: (index: number) => T): T[] {
	return Array.from({ length: count }, (_, index) => entry(index));
}

/** A map with the keys `k0`, `k1` and so on. */
export function entries(count: number, value: unknown = 'v'): Record<string, unknown> {
	return Object.fromEntries(times(count, (index) => [`k${index}`, value]));
}

/** A suspended Job with these fields of its metadata, its Pod template and the template's only container. */
export function job(metadata: object, pod: object = {}, container: object = {}, more: object = {}): object {
	const containers = [{ name: 'c', image: 'b', ...container }];
	const spec = { template: { spec: { restartPolicy: 'Never', containers, ...pod } }, suspend: true };
	return { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'h', ...metadata }, spec, ...more };
}

/**
 * A Pod with these fields of its spec, its metadata and its only container. Its schedulerName keeps stint's
 * scheduler from binding it.
 */
export function pod(name: string, spec: object = {}, metadata: object = {}, container: object = {}): object {
	const containers = [{ name: 'c', image: 'b', ...container }];
	return {
		apiVersion: 'v1',
		kind: 'Pod',
		metadata: { name, ...metadata },
		spec: { schedulerName: 'none', containers, ...spec },
	};
}

/** A request that accepts JSON. */
export function request(method: string, path: string, body?: FuzzRequest['body']): FuzzRequest {
	return { method, path, accept: JSON_TYPE, ...(body && { body }) };
}

/** A body: bytes and strings unchanged, any other value encoded as JSON. */
export function bodyOf(contentType: string, content: string | Uint8Array | object): FuzzRequest['body'] {
	if (content instanceof Uint8Array) return { contentType, bytes: content };
	return { contentType, bytes: Buffer.from(typeof content === 'string' ? content : JSON.stringify(content)) };
}
