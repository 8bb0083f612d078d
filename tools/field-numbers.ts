import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tokenRequestSchema } from '../src/api/authentication/token-request.ts';
import { scaleSchema } from '../src/api/autoscaling/scale/schema.ts';
import { bindingSchema } from '../src/api/core/binding/schema.ts';
import { deleteOptionsSchema } from '../src/api/meta/delete-options.ts';
import { evictionSchema } from '../src/api/policy/eviction/schema.ts';
import { hasFieldNumbers } from '../src/api/protobuf/numbered-types.ts';
import { resources, viewResources, virtualResources } from '../src/api/resources.ts';
import type { ObjectNode, SchemaNode } from '../src/api/schema/schema.ts';

/**
 * Generates src/api/protobuf/field-numbers.ts: the protobuf field number of each field of our schemas. The
 * numbers are in the struct tags of upstream's Go types, so the arguments are the folders of two Go modules:
 *
 *     node tools/field-numbers.ts .../k8s.io/api@v0.37.0 .../k8s.io/apimachinery@v0.37.0
 *
 * (`go mod download` puts them into `$(go env GOMODCACHE)`.) The type of a field, and whether it is repeated,
 * come from its schema. A field that our schema lacks is omitted and reported on stderr; a field that upstream
 * lacks is an error. Kinds that upstream lacks have no numbers and are left out ({@link hasFieldNumbers}).
 */

const TARGET = join(import.meta.dirname, '../src/api/protobuf/field-numbers.ts');

const HEADER = `/**
 * The number that each field has in its protobuf message, by the name of the message's schema: facts of
 * Kubernetes 1.37. \`...Name=1\` is a message in the wire format whose fields JSON has in the object
 * around it. Written by tools/field-numbers.ts, which says how; not by hand.
 */
export const FIELD_NUMBERS: Readonly<Record<string, string>> = {
`;

/** A field of a Go struct. */
interface StructField {
	readonly json: string;
	readonly number: number;
	/** The name of an embedded struct, whose fields belong to the enclosing object in JSON. */
	readonly inlined: string | undefined;
}

type Structs = ReadonlyMap<string, readonly StructField[]>;

/** The structs of a Go package by the names of their schemas, with the fields that have protobuf tags. */
function structsOf(folder: string, prefix: string): Structs {
	const structs = new Map<string, readonly StructField[]>();
	const paths = globSync('*.go', { cwd: folder }).filter((path) => !path.endsWith('_test.go'));
	for (const path of paths) {
		const text = readFileSync(join(folder, path), 'utf8');
		for (const [, name = '', body = ''] of text.matchAll(/^type (\w+) struct \{\n(.*?)^\}/gms)) {
			structs.set(`${prefix}.${name}`, fieldsOf(body, prefix));
		}
	}
	return structs;
}

function fieldsOf(body: string, prefix: string): readonly StructField[] {
	const fields: StructField[] = [];
	for (const line of body.split('\n')) {
		const tags = /^\t(\w+).*`json:"([^",]*)[^"]*"[^`]*protobuf:"\w+,(\d+)/.exec(line);
		if (!tags) continue;
		const [, word = '', json = '', number = ''] = tags;
		const inlined = json === '' ? `${prefix}.${word}` : undefined;
		fields.push({ json, number: Number(number), inlined });
	}
	return fields;
}

/** All object schemas that `roots` contain, by name. */
function objectsIn(roots: readonly ObjectNode[]): ReadonlyMap<string, ObjectNode> {
	const found = new Map<string, ObjectNode>();
	const visit = (node: SchemaNode): void => {
		if (node.type === 'list') visit(node.items);
		if (node.type === 'map') visit(node.values);
		if (node.type !== 'object' || found.has(node.name)) return;
		found.set(node.name, node);
		for (const { schema } of Object.values(node.fields)) visit(schema);
	};
	for (const root of roots) visit(root);
	return found;
}

/** The table's entries for a message: its own, and those of its embedded structs. */
function entriesOf(node: ObjectNode, structs: Structs): ReadonlyMap<string, string> {
	const entries = new Map<string, string>();
	const numbered = new Set<string>();
	const enter = (struct: string): void => {
		const parts: string[] = [];
		for (const { json, number, inlined } of structs.get(struct) ?? []) {
			if (inlined) enter(inlined);
			if (inlined) parts.push(`...${inlined}=${number}`);
			else if (Object.hasOwn(node.fields, json)) parts.push(`${json}=${number}`);
			else process.stderr.write(`omitted, because the schema lacks it: ${struct} ${json}\n`);
			numbered.add(json);
		}
		entries.set(struct, parts.join(' '));
	};
	enter(node.name);
	const lost = Object.keys(node.fields).filter((name) => !numbered.has(name) && !isTypeMeta(name, node));
	if (lost.length > 0) throw new Error(`${node.name}: upstream has no number for ${lost.join(', ')}`);
	return entries;
}

/** Whether the field is in TypeMeta, which protobuf encodes in the envelope and not in the message. */
function isTypeMeta(name: string, { fields }: ObjectNode): boolean {
	return (name === 'kind' || name === 'apiVersion') && 'kind' in fields && 'apiVersion' in fields;
}

const [api = '', apimachinery = ''] = process.argv.slice(2);
// Clients only read the computed resources, and get JSON.
const written = [...resources, ...viewResources, ...virtualResources].filter(({ isReadOnly }) => !isReadOnly);
const roots = [
	...written.map(({ schema }) => schema),
	...[bindingSchema, evictionSchema, scaleSchema, tokenRequestSchema, deleteOptionsSchema],
].filter(hasFieldNumbers);
const objects = objectsIn(roots);
const packages = new Set([...objects.keys()].map((name) => name.slice(0, name.lastIndexOf('.'))));
const structs: Structs = new Map([...packages].flatMap((name) => [...structsOf(folderOf(name), name)]));
const table = new Map([...objects.values()].flatMap((node) => [...entriesOf(node, structs)]));
const lines = [...table].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, text]) => lineOf(name, text));
writeFileSync(TARGET, `${HEADER}${lines.join('')}};\n`);

/** The folder of a Go package, given the package part of its schemas' names. */
function folderOf(name: string): string {
	const [, module, path = ''] = /^io\.k8s\.(api|apimachinery)\.(.*)$/.exec(name) ?? [];
	if (module === undefined) throw new Error(`no module is known for ${name}`);
	return join(module === 'api' ? api : apimachinery, path.replaceAll('.', '/'));
}

/** A line of the table in Biome's format. */
function lineOf(name: string, text: string): string {
	const line = `\t'${name}': '${text}',`;
	// Biome counts a tab as two columns.
	return line.length + 1 <= 110 ? `${line}\n` : `\t'${name}':\n\t\t'${text}',\n`;
}
