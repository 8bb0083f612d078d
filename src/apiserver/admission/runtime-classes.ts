import { apiVersionOf } from '../../api/contract/resource-definition.ts';
import { isPod } from '../../api/core/pod/is-pod.ts';
import type { Pod } from '../../api/core/pod/schema.ts';
import { forbidden } from '../../api/errors/api-error.ts';
import type { KubeObject } from '../../api/meta/object-meta.ts';
import { runtimeClasses } from '../../api/node/runtimeclass/definition.ts';
import type { RuntimeClass } from '../../api/node/runtimeclass/schema.ts';
import { semanticEqual } from '../../api/schema/equality.ts';
import { entryOf } from '../../base/json/json.ts';
import { mergeTolerations } from '../../plan/pod/admission/merge-tolerations.ts';
import { subjectOf } from '../storage/compare-and-swap.ts';
import type { ObjectCache } from '../storage/object-cache.ts';
import { type AdmissionAttributes, type AdmissionPlugin, nameForMessages } from './admission.ts';

/**
 * Sets the overhead, node labels and tolerations of a Pod from its RuntimeClass, and rejects Pods whose class does
 * not exist or whose overhead is another one (upstream: the RuntimeClass plugin).
 */
export class RuntimeClassRules implements AdmissionPlugin {
	readonly mutation: AdmissionPlugin['mutation'] = {
		operations: ['CREATE'],
		admit: (attributes) => {
			const { subresource, object } = attributes;
			if (subresource !== '' || !isPod(object)) return object;
			const found = this.#classOf(object, attributes);
			return found ? withScheduling(withOverhead(object, found, attributes), found, attributes) : object;
		},
	};
	readonly validation: AdmissionPlugin['validation'] = {
		operations: ['CREATE'],
		admit: (attributes) => {
			const { subresource, object } = attributes;
			if (subresource !== '' || !object || !isPod(object) || !object.spec.overhead) return;
			if (this.#classOf(object, attributes)?.overhead) return;
			const text = 'pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead';
			throw rejection(attributes, text);
		},
	};
	readonly #cache: ObjectCache;

	constructor(cache: ObjectCache) {
		this.#cache = cache;
	}

	/** The class that the Pod names, if it names one. Throws Forbidden if it does not exist. */
	#classOf({ spec }: Pod, attributes: AdmissionAttributes): RuntimeClass | undefined {
		const { runtimeClassName: name } = spec;
		if (name === undefined) return undefined;
		const found = this.#cache.of(runtimeClasses.group, runtimeClasses.resource)?.get('', name)?.object;
		if (found && isRuntimeClass(found)) return found;
		throw rejection(attributes, `pod rejected: RuntimeClass "${name}" not found`);
	}
}

function isRuntimeClass(object: KubeObject): object is RuntimeClass {
	return object.kind === runtimeClasses.kind && object.apiVersion === apiVersionOf(runtimeClasses);
}

function rejection(attributes: AdmissionAttributes, text: string): Error {
	return forbidden(subjectOf(attributes.definition, nameForMessages(attributes)), text);
}

function withOverhead(pod: Pod, { overhead }: RuntimeClass, attributes: AdmissionAttributes): Pod {
	if (!overhead) return pod;
	const { podFixed = {} } = overhead;
	const given = pod.spec.overhead ?? {};
	if (Object.keys(given).length > 0 && !semanticEqual(given, podFixed)) {
		const text = "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead";
		throw rejection(attributes, text);
	}
	return { ...pod, spec: { ...pod.spec, overhead: podFixed } };
}

function withScheduling(pod: Pod, { scheduling }: RuntimeClass, attributes: AdmissionAttributes): Pod {
	if (!scheduling) return pod;
	const { nodeSelector = {}, tolerations = [] } = scheduling;
	const own = pod.spec.nodeSelector ?? {};
	for (const [key, value] of Object.entries(nodeSelector)) {
		const other = entryOf(own, key);
		if (other === undefined || other === value) continue;
		const text = `conflict: runtimeClass.scheduling.nodeSelector[${key}] = ${value}; pod.spec.nodeSelector[${key}] = ${other}`;
		throw rejection(attributes, text);
	}
	const selector = { ...own, ...nodeSelector };
	const merged = mergeTolerations(pod.spec.tolerations ?? [], tolerations);
	return {
		...pod,
		spec: {
			...pod.spec,
			...(Object.keys(selector).length > 0 && { nodeSelector: selector }),
			...(merged.length > 0 && { tolerations: merged }),
		},
	};
}
