import { isUtf8 } from 'node:buffer';
import { configMaps } from '../../api/core/configmap/definition.ts';
import { base64OfBytes } from '../../base/base64.ts';
import type { CliContext } from '../context.ts';
import { type DataFlags, readData } from './data-sources.ts';
import { nameHash } from './name-hash.ts';
import { type CreateFlags, createNew, oneName } from './new-object.ts';

/** The flags of `create configmap`. */
export interface ConfigMapFlags extends CreateFlags, DataFlags {
	readonly appendHash?: boolean;
}

/** `stint create configmap NAME`. Resolves to the exit code. */
export async function createConfigMap(
	context: CliContext,
	names: readonly string[],
	flags: ConfigMapFlags,
): Promise<number> {
	const name = oneName(names, 'configmap');
	const found = [...(await readData(context, flags, { kind: 'ConfigMap', name }))];
	const [texts, binary] = [true, false].map((isText) =>
		found.filter(([, value]) => isUtf8(value) === isText),
	);
	const data = Object.fromEntries((texts ?? []).map(([key, value]) => [key, Buffer.from(value).toString()]));
	const binaryData = Object.fromEntries((binary ?? []).map(([key, value]) => [key, base64OfBytes(value)]));
	const parts = { data, ...(Object.keys(binaryData).length > 0 && { binaryData }) };
	const suffix = flags.appendHash ? `-${nameHash({ kind: 'ConfigMap', name, ...parts })}` : '';
	const manifest = { metadata: { name: `${name}${suffix}` }, ...parts };
	return createNew(
		context,
		{ definition: configMaps, manifest, failure: 'failed to create configmap: ' },
		flags,
	);
}
