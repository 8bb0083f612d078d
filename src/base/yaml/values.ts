/**
 * Converts the nodes of a document to a JSON value as sigs.k8s.io/yaml does, which decodes with go-yaml and
 * converts all keys to strings.
 *
 * 1. An alias shares the value of the node it refers to. It still counts all values of that node, because
 *    code that traverses the result visits them for each alias.
 * 2. `<<` adds the keys of another map at its position: later keys override them, and they override earlier
 *    keys.
 * 3. Keys are sorted on request, as they are in the JSON to which upstream converts YAML.
 */

import { compareText } from '../compare-text.ts';
import { setOwn } from '../json/json.ts';
import { YamlError, YamlLimitError } from './cursor.ts';
import { floatKeyText, floatText, type GoValue, goSyntax, isInt64 } from './go-syntax.ts';
import type { YamlLimits } from './node-tree.ts';
import type { AliasNode, MapNode, ScalarNode, YamlNode } from './nodes.ts';
import { jsonOfScalar, NoJsonError, resolveScalar, type Scalar } from './resolve.ts';

/** The JSON value of a document, and the duplicate keys, which strict field validation rejects. */
export interface YamlValue {
	readonly value: unknown;
	/** At most 100 of them. */
	readonly repeated: readonly RepeatedKey[];
}

/** A duplicate key of a map. */
export interface RepeatedKey {
	readonly key: YamlNode;
	/** go-yaml's message, `line 7: key "suspend" already set in map`, with the line of the value. */
	readonly message: string;
}

const MAX_REPEATED = 100;

/**
 * The JSON value of a document with its keys sorted, or in the order of the text. Throws a YamlError, a
 * NoJsonError or a YamlLimitError.
 */
export function yamlValueOf(
	root: YamlNode,
	limits: YamlLimits,
	order: 'sorted' | 'written' = 'sorted',
): YamlValue {
	const values = new Values(limits, order === 'sorted');
	const value = values.of(root, 0);
	if (values.hasNoJson) refuseNoJson(value);
	return { value, repeated: values.repeated };
}

/** The entries of a map by {@link idOf} their keys: as in Go, 1 and "1" are different keys. */
type Entries = Map<string, { readonly key: string; readonly value: unknown }>;

/** The value of a list or map with an anchor, and its size, which each alias counts again. */
interface ConvertedValue {
	readonly value: unknown;
	readonly nodes: number;
	readonly values: number;
	readonly height: number;
}

/** Converts the nodes of one document, and counts them against the limits. */
class Values {
	readonly repeated: RepeatedKey[] = [];
	readonly #limits: YamlLimits;
	readonly #sorts: boolean;
	readonly #converted = new Map<YamlNode, ConvertedValue>();
	readonly #open = new Set<YamlNode>();
	#nodes = 1;
	#aliased = 0;
	#aliasDepth = 0;
	#values = 0;
	/** The nesting depth of the value that was converted last. */
	#height = 0;
	/** Whether the value contains a {@link NoJson} in place of a part that JSON cannot represent. */
	hasNoJson = false;

	constructor(limits: YamlLimits, sorts: boolean) {
		this.#limits = limits;
		this.#sorts = sorts;
	}

	/** The value of a node at a nesting depth. Recursion is safe, because the composer has limited the depth. */
	of(node: YamlNode, depth: number): unknown {
		this.#countNodes(1);
		switch (node.kind) {
			case 'scalar':
				this.#height = 0;
				return this.#scalar(node);
			case 'alias':
				return this.#aliasedValue(node, depth);
			default:
				return this.#collection(node, depth);
		}
	}

	/** The value of an alias. An open target contains the alias, and its value would be infinite. */
	#aliasedValue(node: AliasNode, depth: number): unknown {
		const { target } = node;
		if (this.#open.has(target)) throw containsItself(node);
		this.#aliasDepth++;
		const made = this.#converted.get(target);
		const value = made ? this.#countAgain(made, depth) : this.of(target, depth);
		this.#aliasDepth--;
		return value;
	}

	/** Counts a converted value again for an alias of it, and returns it. */
	#countAgain({ value, nodes, values, height }: ConvertedValue, depth: number): unknown {
		this.#countNodes(nodes);
		this.#countValues(values);
		this.#height = height;
		this.#checkDepth(depth + height);
		return value;
	}

	#collection(node: Exclude<YamlNode, ScalarNode | AliasNode>, depth: number): unknown {
		this.#checkDepth(depth + 1);
		const before = { nodes: this.#nodes, values: this.#values };
		this.#open.add(node);
		let height = 0;
		let value: unknown;
		if (node.kind === 'list') {
			value = node.items.map((item) => {
				this.#countValues(1);
				const made = this.of(item, depth + 1);
				height = Math.max(height, this.#height);
				return made;
			});
		} else {
			const entries: Entries = new Map();
			height = this.#fill(node, entries, depth);
			value = recordOf(entries, this.#sorts);
		}
		this.#open.delete(node);
		this.#height = height + 1;
		if (node.isAliased) {
			const nodes = this.#nodes - before.nodes + 1;
			this.#converted.set(node, { value, nodes, values: this.#values - before.values, height: height + 1 });
		}
		return value;
	}

	/** Adds the entries of a map to `entries`; returns the greatest nesting depth of their values. */
	#fill({ parts }: MapNode, entries: Entries, depth: number): number {
		let height = 0;
		for (let index = 0; index < parts.length; index += 2) {
			const key = parts[index];
			const value = parts[index + 1];
			if (!key || !value) break;
			if (isMerge(key)) this.#merge(value, entries, depth);
			else this.#put({ key, value }, entries, depth);
			height = Math.max(height, this.#height);
		}
		return height;
	}

	/** Adds one entry of a map. As in go-yaml, a duplicate key replaces the value and is reported. */
	#put(pair: { readonly key: YamlNode; readonly value: YamlNode }, entries: Entries, depth: number): void {
		const key = this.#key(pair.key, depth);
		this.#countValues(1);
		const value = this.of(pair.value, depth + 1);
		const id = idOf(key);
		if (entries.has(id) && this.repeated.length < MAX_REPEATED) {
			const message = `line ${pair.value.start.line + 1}: key ${goSyntax(key)} already set in map`;
			this.repeated.push({ key: pair.key, message });
		}
		const text = keyText(key);
		if (text !== undefined) entries.set(id, { key: text, value });
		else entries.set(id, { key: '', value: this.#noJson(() => unsupportedKey(key, pair.value)) });
	}

	#key(node: YamlNode, depth: number): Scalar {
		this.#countNodes(1);
		if (node.kind === 'scalar') return resolveScalar(node);
		if (node.kind === 'alias' && node.target.kind === 'scalar') {
			this.#aliasDepth++;
			this.#countNodes(1);
			this.#aliasDepth--;
			return resolveScalar(node.target);
		}
		// An error inside the key is reported before the error that a list or map is no key, as in go-yaml.
		this.of(node, depth + 1);
		throw new YamlError(`invalid map key: ${goSyntax(goValueOf(node, new Set()))}`, node.start);
	}

	/**
	 * Adds the entries of the map, or the list of maps, behind `<<`. The maps of a list are merged from the last
	 * to the first, so that the first takes precedence, as go-yaml does.
	 */
	#merge(node: YamlNode, entries: Entries, depth: number): void {
		const nodes = node.kind === 'list' ? node.items.toReversed() : [node];
		for (const each of nodes) {
			const map = each.kind === 'alias' ? each.target : each;
			if (map.kind !== 'map') {
				throw new YamlError('map merge requires map or sequence of maps as the value', each.start);
			}
			if (each.kind === 'alias' && this.#open.has(map)) throw containsItself(each);
			this.#countNodes(each.kind === 'alias' ? 2 : 1);
			this.#open.add(map);
			if (each.kind === 'alias') this.#aliasDepth++;
			this.#height = this.#fill(map, entries, depth);
			if (each.kind === 'alias') this.#aliasDepth--;
			this.#open.delete(map);
		}
	}

	#scalar(node: ScalarNode): unknown {
		const scalar = resolveScalar(node);
		if (scalar.kind !== 'float' || Number.isFinite(scalar.value)) return jsonOfScalar(scalar);
		return this.#noJson(() => `json: unsupported value: ${floatText(scalar.value)}`);
	}

	#noJson(describe: () => string): NoJson {
		this.hasNoJson = true;
		return new NoJson(describe);
	}

	/**
	 * Counts nodes, and checks a limit like go-yaml's (decode.go): at most 99 % of the nodes may come from
	 * aliases. Without it a text of a kilobyte could expand to billions of nodes.
	 */
	#countNodes(count: number): void {
		this.#nodes += count;
		if (this.#aliasDepth > 0) this.#aliased += count;
		if (this.#aliased > 100 && this.#nodes > 1000 && this.#aliased / this.#nodes > 0.99) {
			throw new YamlError('document contains excessive aliasing');
		}
	}

	#countValues(count: number): void {
		this.#values += count;
		if (this.#values > this.#limits.values) {
			throw new YamlLimitError(`more than ${this.#limits.values} values`);
		}
	}

	#checkDepth(depth: number): void {
		if (depth > this.#limits.depth) throw new YamlError(`exceeded max depth of ${this.#limits.depth}`);
	}
}

function containsItself({ name, start }: AliasNode): YamlError {
	return new YamlError(`anchor '${name}' value contains itself`, start);
}

function isMerge(node: YamlNode): boolean {
	if (node.kind !== 'scalar' || node.value !== '<<') return false;
	return node.isPlain || node.tag === 'tag:yaml.org,2002:merge';
}

/** A text that is equal for equal keys only. */
function idOf(key: Scalar): string {
	return `${key.kind}:${key.kind === 'null' ? '' : key.value}`;
}

/** The key as a string for JSON; undefined if upstream does not support keys of its type. */
function keyText(key: Scalar): string | undefined {
	switch (key.kind) {
		case 'string':
			return key.value;
		case 'float':
			return floatKeyText(key.value);
		case 'bool':
			return String(key.value);
		case 'int':
			return isInt64(key.value) ? String(key.value) : undefined;
		case 'null':
			return undefined;
	}
}

/** The error of sigs.k8s.io/yaml for a key that is null or exceeds int64; the type is in Go's format. */
function unsupportedKey(key: Scalar, value: YamlNode): string {
	const type = key.kind === 'int' ? 'uint64' : '%!s(<nil>)';
	const shown = goSyntax(goValueOf(value, new Set()));
	return `unsupported map key of type: ${type}, key: ${goSyntax(key)}, value: ${shown}`;
}

/** A placeholder for a part of the value that JSON cannot represent. */
class NoJson {
	readonly describe: () => string;

	constructor(describe: () => string) {
		this.describe = describe;
	}
}

/** Throws the error of the first {@link NoJson} in `value`, which is the one that upstream reports. */
function refuseNoJson(value: unknown): void {
	if (value instanceof NoJson) throw new NoJsonError(value.describe());
	if (typeof value !== 'object' || value === null) return;
	for (const part of Object.values(value)) refuseNoJson(part);
}

/** Maximum number of fields that are sorted. Sorting more takes time, and no reader depends on their order. */
const MAX_SORTED = 1000;

/**
 * The entries as a JSON object. Different keys, such as 1 and "1", may have the same name; the last one
 * counts.
 */
function recordOf(entries: Entries, sorts: boolean): unknown {
	const record: Record<string, unknown> = {};
	const list = [...entries.values()];
	if (sorts && list.length <= MAX_SORTED) list.sort((a, b) => compareText(a.key, b.key));
	for (const { key, value } of list) setOwn(record, key, value);
	return record;
}

/**
 * A node as go-yaml decodes it, for an error message. `open` contains the enclosing nodes, since an alias may
 * refer to one of them; large and deep values are shortened.
 */
function goValueOf(node: YamlNode, open: Set<YamlNode>): GoValue {
	if (node.kind === 'scalar') return resolveScalar(node);
	if (open.has(node) || open.size > 10) return { kind: 'string', value: '...' };
	open.add(node);
	const value = goCollection(node, open);
	open.delete(node);
	return value;
}

function goCollection(node: Exclude<YamlNode, ScalarNode>, open: Set<YamlNode>): GoValue {
	if (node.kind === 'alias') return goValueOf(node.target, open);
	if (node.kind === 'list') {
		return { kind: 'list', items: node.items.slice(0, 100).map((item) => goValueOf(item, open)) };
	}
	const entries = new Map<string, readonly [Scalar, GoValue]>();
	for (let index = 0; index + 1 < Math.min(node.parts.length, 200); index += 2) {
		const [key, value] = node.parts.slice(index, index + 2);
		if (!key || !value) break;
		if (isMerge(key)) for (const entry of mergedEntries(value, open)) entries.set(idOf(entry[0]), entry);
		else if (key.kind === 'scalar') {
			const scalar = resolveScalar(key);
			entries.set(idOf(scalar), [scalar, goValueOf(value, open)]);
		}
	}
	return { kind: 'map', entries: [...entries.values()] };
}

function mergedEntries(node: YamlNode, open: Set<YamlNode>): readonly (readonly [Scalar, GoValue])[] {
	const value = goValueOf(node, open);
	return value.kind === 'map' ? value.entries : [];
}
