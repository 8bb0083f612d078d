import { apiVersionOf, type ResourceDefinition } from '../../src/api/contract/resource-definition.ts';
import { resources, viewResources, virtualResources } from '../../src/api/resources.ts';
import type { Dice } from '../simulation/dice.ts';
import { type Body, drawBody, drawPatch } from './bodies.ts';
import { strangeText } from './values.ts';

/** A raw HTTP request. */
export interface FuzzRequest {
	readonly method: string;
	/** The path with its query. */
	readonly path: string;
	readonly accept: string;
	readonly body?: Body;
}

/** Reads and creations are frequent, so that there are objects for the other methods. */
const METHODS = ['GET', 'GET', 'GET', 'POST', 'POST', 'POST', 'PUT', 'PATCH', 'PATCH', 'DELETE'] as const;

/** Draws a request: a valid one, one with a careless mistake, or a hostile one. */
export function drawRequest(dice: Dice): FuzzRequest {
	const method = dice.chance(0.02) ? dice.of('HEAD', 'OPTIONS', 'TRACE', 'COPY') : dice.of(...METHODS);
	const [first, ...rest] = [...resources, ...viewResources, ...virtualResources];
	const definition = first && dice.of(first, ...rest);
	const path = dice.chance(0.05) || !definition ? plainPath(dice) : pathTo(dice, definition, method);
	const kind = path.endsWith('/binding')
		? 'Binding'
		: path.endsWith('/eviction')
			? 'Eviction'
			: path.endsWith('/token')
				? 'TokenRequest'
				: definition?.kind;
	const body = bodyFor(dice, method, kind);
	const query = drawQuery(dice);
	return {
		method,
		path: query === '' ? path : `${path}?${query}`,
		accept: drawAccept(dice),
		...(body && { body }),
	};
}

function bodyFor(dice: Dice, method: string, kind: string | undefined): Body | undefined {
	if (method === 'POST' || method === 'PUT') return drawBody(dice, kind);
	if (method === 'PATCH') return drawPatch(dice, kind);
	if (method === 'DELETE') return dice.maybe(0.4, () => drawBody(dice, 'DeleteOptions'));
	return dice.maybe(0.02, () => drawBody(dice, kind));
}

function plainPath(dice: Dice): string {
	return dice.of(
		'/',
		'/api',
		'/apis',
		'/apis/batch',
		'/apis/batch/v1',
		'/version',
		'/openapi/v2',
		'/openapi/v3',
		'/openapi/v3/apis/batch/v1',
		'/metrics',
		'/openid/v1/jwks',
		'/.well-known/openid-configuration',
		'/livez',
		'/healthz?verbose',
		'//api//v1',
		'/api/v1/%2e%2e/secrets',
		'/%',
		`/apis/${encoded(strangeText(dice))}`,
	);
}

/** Mostly the same name, so that requests meet objects that earlier ones have created. */
const NAMES = [
	'a',
	'a',
	'a',
	'a',
	'a',
	'a',
	'a',
	'a',
	'b',
	'default',
	'A',
	'a.b-c',
	'%00',
	'..',
	'constructor',
	'%F0%9F%9A%80',
] as const;

function pathTo(dice: Dice, definition: ResourceDefinition, method: string): string {
	const version = apiVersionOf(definition);
	const root = version.includes('/') ? `/apis/${version}` : `/api/${version}`;
	const namespaced = definition.namespaced && dice.chance(0.9);
	const place = namespaced ? `/namespaces/${dice.chance(0.95) ? 'default' : dice.of(...NAMES)}` : '';
	const collection = `${root}${place}/${definition.resource}`;
	if (dice.chance(method === 'POST' ? 0.8 : 0.25)) return collection;
	const name = dice.chance(0.03) ? encoded(strangeText(dice).slice(0, 300)) : dice.of(...NAMES);
	const subresource = dice.maybe(0.25, () =>
		dice.of('status', 'log', 'eviction', 'binding', 'finalize', 'scale', 'exec', 'token', 'x', 'log/deeper'),
	);
	return `${collection}/${name}${subresource === undefined ? '' : `/${subresource}`}`;
}

/** Query parameters with valid, invalid and absurd values. */
const PARAMETERS: Readonly<Record<string, readonly [string, ...string[]]>> = {
	limit: ['1', '0', '-1', '500', '99999999999', 'x'],
	continue: ['', 'x', 'eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MSwic3RhcnQiOiJhIn0'],
	resourceVersion: ['', '0', '1', '99999999', '1e300', '-1', 'x'],
	resourceVersionMatch: ['Exact', 'NotOlderThan', 'x'],
	labelSelector: ['app=x', 'app in (x,y)', '!app', 'app notin (', ',,,', 'constructor=1', 'a>1'],
	fieldSelector: ['metadata.name=a', 'status.phase!=Running', 'spec.x=1', '=', 'metadata.name==a,a'],
	watch: ['0', 'false', 'x'],
	timeoutSeconds: ['1', '0', '-1', 'x'],
	allowWatchBookmarks: ['true', 'x'],
	sendInitialEvents: ['true', 'false', 'x'],
	pretty: ['true', '', 'x'],
	dryRun: ['All', 'None', '', 'x'],
	fieldManager: ['me', '', 'x'.repeat(200)],
	fieldValidation: ['Strict', 'Warn', 'Ignore', 'x'],
	force: ['true', 'x'],
	propagationPolicy: ['Background', 'Foreground', 'Orphan', 'x'],
	gracePeriodSeconds: ['0', '-1', '30', '1e9', 'x'],
	orphanDependents: ['true', 'x'],
	container: ['c', 'x', ''],
	tailLines: ['1', '-1', '99999999999'],
	sinceSeconds: ['1', '0', '-1'],
	sinceTime: ['2026-01-01T00:00:00Z', 'x'],
	limitBytes: ['1', '0', '-1'],
	previous: ['true', 'x'],
	follow: ['false'],
	verbose: [''],
	exclude: ['etcd', 'x'],
};

/** Percent-encodes text. A lone surrogate cannot be encoded, so it is replaced by U+FFFD. */
function encoded(text: string): string {
	return encodeURIComponent(text.toWellFormed());
}

function drawQuery(dice: Dice): string {
	const count = dice.chance(0.5) ? 0 : dice.between(1, 4);
	const parts: string[] = [];
	const names = Object.keys(PARAMETERS);
	for (let index = 0; index < count; index++) {
		const name = names[dice.between(0, names.length - 1)] ?? 'limit';
		const values = PARAMETERS[name] ?? ['x'];
		parts.push(`${name}=${encoded(dice.of(...values))}`);
	}
	if (dice.chance(0.02)) parts.push('watch=true', 'timeoutSeconds=1');
	if (dice.chance(0.02)) parts.push(`a=${'%41'.repeat(dice.between(1, 3000))}`);
	if (dice.chance(0.01)) parts.push('%zz=%', 'constructor=1', '__proto__=1');
	return parts.join('&');
}

function drawAccept(dice: Dice): string {
	if (dice.chance(0.7)) return 'application/json';
	return dice.of(
		'application/json',
		'*/*',
		'',
		'application/json;as=Table;v=v1;g=meta.k8s.io,application/json',
		'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io',
		'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io',
		'application/vnd.kubernetes.protobuf,application/json',
		'application/yaml',
		'application/vnd.kubernetes.protobuf',
		'text/html',
		'x',
	);
}
