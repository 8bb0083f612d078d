import type { FuzzRequest } from '../fuzz/requests.ts';

/** A request that is made to hold the server up. */
export interface HostileRequest extends FuzzRequest {
	readonly name: string;
	/** What it is answered with. */
	readonly status: number;
}

/** Where Jobs are. */
export const JOBS = '/apis/batch/v1/namespaces/default/jobs';
/** Where CronJobs are. */
export const CRON_JOBS = '/apis/batch/v1/namespaces/default/cronjobs';
/** Where Pods are. */
export const PODS = '/api/v1/namespaces/default/pods';
/** Where Nodes are. */
export const NODES = '/api/v1/nodes';
/** A Job of some 20,000 values, which the test makes before it sends the requests. */
export const LARGE = 'large';

export const JSON_TYPE = 'application/json';
export const YAML_TYPE = 'application/yaml';
export const MERGE = 'application/merge-patch+json';
export const STRATEGIC = 'application/strategic-merge-patch+json';
export const JSON_PATCH = 'application/json-patch+json';
export const PROTOBUF = 'application/vnd.kubernetes.protobuf';

/** What clients accept that show a Table. */
export const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io';

/** A request about what earlier steps have stored: the order of the steps matters. */
export type Step = readonly [
	name: string,
	status: number,
	method: string,
	path: string,
	body?: readonly [contentType: string, content: string | object],
	accept?: string,
];

/** The step that creates an object. */
export function create(collection: string, name: string, content: object): Step {
	return [`to store ${name}`, 201, 'POST', collection, [JSON_TYPE, content]];
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

/** A Job with these metadata, and these fields of its Pods and their one container. */
export function job(metadata: object, pod: object = {}, container: object = {}, more: object = {}): object {
	const containers = [{ name: 'c', image: 'b', ...container }];
	const spec = { template: { spec: { restartPolicy: 'Never', containers, ...pod } }, suspend: true };
	return { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'h', ...metadata }, spec, ...more };
}

/** A Pod that no scheduler of ours takes, with these fields of its spec, its metadata and its one container. */
export function pod(name: string, spec: object = {}, metadata: object = {}, container: object = {}): object {
	const containers = [{ name: 'c', image: 'b', ...container }];
	return {
		apiVersion: 'v1',
		kind: 'Pod',
		metadata: { name, ...metadata },
		spec: { schedulerName: 'none', containers, ...spec },
	};
}

/** A request whose answer is JSON. */
export function request(method: string, path: string, body?: FuzzRequest['body']): FuzzRequest {
	return { method, path, accept: JSON_TYPE, ...(body && { body }) };
}

/** A body: bytes and texts as they are, any other value as JSON. */
export function bodyOf(contentType: string, content: string | Uint8Array | object): FuzzRequest['body'] {
	if (content instanceof Uint8Array) return { contentType, bytes: content };
	return { contentType, bytes: Buffer.from(typeof content === 'string' ? content : JSON.stringify(content)) };
}
