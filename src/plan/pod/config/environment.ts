/**
 * The environment of a container, as `makeEnvironmentVariables` of the kubelet builds it, and the expansion of
 * `$(NAME)` in variables, commands and arguments (upstream: third_party/forked/golang/expansion).
 */
import type { Container, EnvVar, Pod } from '../../../api/core/pod/schema.ts';
import { quote } from '../../../base/quote.ts';
import { envFileKey, InputError, type InputValues, needKey, notFoundText } from '../inputs/values.ts';
import { fieldValue, type NodeFacts, resourceValue } from './downward.ts';
import { variableInFile } from './env-file.ts';

/** A variable of a container's environment. */
export interface Variable {
	readonly name: string;
	readonly value: string;
}

/** What the environment of a container depends on beside its Pod. */
export interface EnvironmentSources {
	readonly facts: NodeFacts;
	readonly expansion: Expansion;
	/** The variables of Services; those of the container override them. */
	readonly services: readonly Variable[];
	/** The ConfigMaps, Secrets and files; undefined on a node without a source of inputs. */
	readonly values: VariableInputs | undefined;
}

type VariableInputs = Pick<InputValues, 'data' | 'volumes' | 'envFiles'>;

/**
 * The environment of a container: the variables of Services, those of `envFrom`, which those of `env` override, with `$(NAME)` replaced
 * by the values of earlier ones. An optional object or key that does not exist defines no variable. Throws InputError
 * if a required one does not exist, and an Error if the texts get too long. A name need not be one that a shell accepts:
 * upstream checks only that it is printable, at the API.
 *
 * Without a source of inputs, variables from ConfigMaps, Secrets and files are left out.
 */
export function environmentOf(
	pod: Pod,
	container: Container,
	sources: EnvironmentSources,
): readonly Variable[] {
	const { facts, expansion, services, values: inputs } = sources;
	const values = new Map(services.map(({ name, value }) => [name, value]));
	for (const [name, value] of inputs ? importedVariables(container, inputs) : []) values.set(name, value);
	for (const variable of container.env ?? []) {
		const value = variable.valueFrom
			? valueFrom({ pod, container }, variable, { facts, inputs })
			: expansion.expand(variable.value ?? '', values);
		if (value !== undefined) values.set(variable.name, value);
	}
	return [...values].map(([name, value]) => ({ name, value }));
}

/** The variables of `envFrom`; of two with one name, the later one counts. */
function importedVariables(
	{ envFrom = [] }: Container,
	{ data }: VariableInputs,
): readonly (readonly [string, string])[] {
	return envFrom.flatMap(({ prefix = '', configMapRef, secretRef }) => {
		const kind = configMapRef ? 'configMap' : 'secret';
		const { name = '', optional } = configMapRef ?? secretRef ?? {};
		const found = data.get(needKey({ kind, name }));
		if (!found && !optional) throw new InputError(notFoundText(kind, name));
		return Array.from(found ?? []).flatMap(([key, value]) => {
			const text = textOf(kind, value);
			return text === undefined ? [] : [[`${prefix}${key}`, text] as const];
		});
	});
}

/** The value of one key of a ConfigMap or Secret; undefined if it is optional and does not exist. */
function keyValue(
	{ metadata }: Pod,
	{ valueFrom: { configMapKeyRef, secretKeyRef } = {} }: EnvVar,
	{ data }: VariableInputs,
): string | undefined {
	const kind = configMapKeyRef ? 'configMap' : 'secret';
	const { name = '', key = '', optional } = configMapKeyRef ?? secretKeyRef ?? {};
	const found = data.get(needKey({ kind, name }));
	const value = found?.get(key);
	const text = value === undefined ? undefined : textOf(kind, value);
	if (text !== undefined) return text;
	if (optional) return undefined;
	if (!found) throw new InputError(notFoundText(kind, name));
	const title = kind === 'configMap' ? 'ConfigMap' : 'Secret';
	throw new InputError(`couldn't find key ${key} in ${title} ${metadata.namespace}/${name}`);
}

/** The value as text; undefined for one of a ConfigMap's `binaryData`, which cannot be the value of a variable. */
function textOf(kind: 'configMap' | 'secret', value: string | Uint8Array): string | undefined {
	if (typeof value === 'string') return value;
	return kind === 'secret' ? UTF8.decode(value) : undefined;
}

/** The value of a variable in a file of a volume; undefined if it is optional and not set there. */
function fileValue(
	reference: NonNullable<NonNullable<EnvVar['valueFrom']>['fileKeyRef']>,
	{ volumes, envFiles }: VariableInputs,
): string | undefined {
	const { volumeName, key, optional } = reference;
	if (!volumes?.has(volumeName))
		throw new InputError(`cannot find the volume ${quote(volumeName)} referenced by FileKeyRef`);
	const file = envFiles?.get(envFileKey(reference));
	const value = parsed(file?.text, key);
	if (value !== '') return value;
	if (optional) return undefined;
	throw new InputError(`environment variable key ${quote(key)} not found in file ${quote(file?.path ?? '')}`);
}

function parsed(text: string | undefined, key: string): string {
	try {
		if (text !== undefined) return variableInFile(text, key);
	} catch {
		// Upstream keeps the reason to the log of the kubelet, since the text is the Pod's.
	}
	throw new InputError("couldn't parse env file");
}

const UTF8 = new TextDecoder('utf-8', { ignoreBOM: true });

/** Limit on the expanded texts of a container, in characters. Linux limits arguments and environment to 2 MiB. */
const MOST_CHARACTERS = 2 * 1024 * 1024;

/**
 * Expands `$(NAME)` in the texts of one container. Their total length is bounded: with variables that each refer
 * to the previous one twice, it doubles with each, and 40 of them would fill the memory.
 */
export class Expansion {
	#left = MOST_CHARACTERS;

	/**
	 * `text` with each `$(NAME)` replaced by the variable's value. `$$` is an escaped `$`, and a reference to an
	 * unknown name stays as it is written, unless `onUnknown` throws. Throws when the container's texts together get
	 * too long.
	 */
	expand(
		text: string,
		values: ReadonlyMap<string, string>,
		onUnknown: (name: string) => void = () => {},
	): string {
		const parts: string[] = [];
		const take = (part: string): void => {
			this.#left -= part.length;
			if (this.#left < 0) throw new Error('argument list too long after the expansion of $(NAME)');
			parts.push(part);
		};
		let at = 0;
		let mayClose = true;
		for (let dollar = text.indexOf('$'); dollar >= 0; dollar = text.indexOf('$', at)) {
			take(text.slice(at, dollar));
			const close = mayClose && text[dollar + 1] === '(' ? text.indexOf(')', dollar) : undefined;
			if (close === -1) mayClose = false;
			if (close !== undefined && close >= 0) {
				at = close + 1;
				const name = text.slice(dollar + 2, close);
				if (!values.has(name)) onUnknown(name);
				take(values.get(name) ?? text.slice(dollar, at));
			} else {
				at = dollar + (text[dollar + 1] === '$' ? 2 : 1);
				take('$');
			}
		}
		take(text.slice(at));
		return parts.join('');
	}
}

function valueFrom(
	{ pod, container }: { readonly pod: Pod; readonly container: Container },
	variable: EnvVar,
	{ facts, inputs }: { readonly facts: NodeFacts; readonly inputs: VariableInputs | undefined },
): string | undefined {
	const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef } = variable.valueFrom ?? {};
	if (fieldRef) return fieldValue(pod, fieldRef.fieldPath, facts);
	if (resourceFieldRef) return resourceValue({ pod, container }, resourceFieldRef, facts);
	if (!inputs) return undefined;
	if (configMapKeyRef || secretKeyRef) return keyValue(pod, variable, inputs);
	return fileKeyRef && fileValue(fileKeyRef, inputs);
}
