/** The annotations by which the persistent-volume binder, provisioners and the scheduler work together. */

/** On a claim: the binder has bound it completely. */
export const BIND_COMPLETED = 'pv.kubernetes.io/bind-completed';

/** On a claim or volume: the binder chose the other side, and not the user. */
export const BOUND_BY_CONTROLLER = 'pv.kubernetes.io/bound-by-controller';

/** On a claim: the node that the scheduler has chosen for the first Pod that uses the claim. */
export const SELECTED_NODE = 'volume.kubernetes.io/selected-node';

/** On a claim: the name of the provisioner that must create its volume. */
export const STORAGE_PROVISIONER = 'volume.kubernetes.io/storage-provisioner';

/** The older name of {@link STORAGE_PROVISIONER}, which upstream still sets too. */
export const BETA_STORAGE_PROVISIONER = 'volume.beta.kubernetes.io/storage-provisioner';

/** On a volume: the name of the provisioner that created it. */
export const PROVISIONED_BY = 'pv.kubernetes.io/provisioned-by';

/** The provisioner of StorageClasses whose volumes are created by hand. */
export const NO_PROVISIONER = 'kubernetes.io/no-provisioner';
