import assert from 'node:assert/strict';
import { decode } from '../../../../schema/decode.ts';
import { pods } from '../../definition.ts';
import { podSchema } from '../../schema.ts';

/** A valid container. */
export const MAIN = { name: 'main', image: 'a:1' };

/** The errors of a Pod with this spec, besides a valid container, and metadata. */
export function problems(spec: object, metadata: object = {}): readonly string[] {
	const json = {
		metadata: { name: 'p', namespace: 'default', ...metadata },
		spec: { restartPolicy: 'Never', containers: [MAIN], ...spec },
	};
	const pod = pods.strategy.prepareForCreate(pods.defaults(decode(podSchema, json).value));
	return pods.strategy.validateCreate(pod).map(({ field, message }) => `${field}: ${message}`);
}

/** Rows of an input and its errors. */
export type Rows = readonly (readonly [given: object, ...problems: readonly string[]])[];

/** Checks rows of a Pod spec and the errors that validation reports for it. */
export function check(rows: Rows): void {
	for (const [spec, ...expected] of rows) assert.deepEqual(problems(spec), expected, JSON.stringify(spec));
}

/** Checks rows of the fields of a container and its errors, whose paths are relative to the container. */
export function checkContainer(rows: Rows, spec: object = {}): void {
	for (const [container, ...expected] of rows) {
		const texts = problems({ ...spec, containers: [{ ...MAIN, ...container }] });
		const relative = texts.map((text) => text.replace(/^spec\.containers\[0\]\.?/, ''));
		assert.deepEqual(relative, expected, JSON.stringify(container));
	}
}

/** The detail of a wrong DNS label. */
export const LABEL =
	"a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
/** The detail of a wrong DNS subdomain. */
export const SUBDOMAIN =
	"a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
/** The detail of a wrong label key. */
export const KEY =
	"must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
