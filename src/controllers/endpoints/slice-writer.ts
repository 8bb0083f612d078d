import { endpointSlices } from '../../api/discovery/endpointslice/definition.ts';
import type { EndpointSlice } from '../../api/discovery/endpointslice/schema.ts';
import { isNamespaceTerminating } from '../../api/errors/api-error.ts';
import type { Client } from '../../client/client.ts';
import type { Informer } from '../../client/informer.ts';
import { uidPrecondition, unlessOvertaken } from '../../client/outcomes.ts';
import type { SliceChanges } from '../../plan/services/slices/fill-slices.ts';

/** Writes changes of EndpointSlices. */
export class SliceWriter {
	readonly #client: Client;
	readonly #slices: Pick<Informer<EndpointSlice>, 'reached'>;

	constructor(client: Client, slices: Pick<Informer<EndpointSlice>, 'reached'>) {
		this.#client = client;
		this.#slices = slices;
	}

	/**
	 * Performs the changes. Resolves once the informer shows them, so that the next pass does not repeat them; to false if
	 * another writer has overtaken one of them: then the pass must be repeated. In a namespace that is being deleted nothing
	 * is created.
	 */
	async apply(namespace: string, { create, update, remove }: SliceChanges): Promise<boolean> {
		const target = this.#client.resource(endpointSlices, namespace);
		let isOvertaken = false;
		for (const slice of create) {
			try {
				const { metadata } = await target.create(slice);
				await this.#slices.reached(metadata.resourceVersion);
			} catch (error) {
				if (isNamespaceTerminating(error)) return true;
				throw error;
			}
		}
		for (const slice of update) {
			const stored = await unlessOvertaken(target.update(slice));
			if (stored) await this.#slices.reached(stored.metadata.resourceVersion);
			else isOvertaken = true;
		}
		for (const slice of remove) {
			await unlessOvertaken(target.delete(slice.metadata.name ?? '', uidPrecondition(slice)));
		}
		return !isOvertaken;
	}
}
