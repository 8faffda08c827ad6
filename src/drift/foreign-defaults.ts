import { AUTOSCALER_MANAGERS } from './managers.ts';
import { SYSTEM_FIELDS, type FieldPlace } from './system-fields.ts';

/** A controller that writes beside us in the normal course of things, under one of these field managers. */
export interface ForeignManagers {
  readonly who: string;
  readonly managers: readonly string[];
}

/** Their fields are never reported or removed. docs/guide.md shows this table. */
export const KNOWN_CONTROLLERS: readonly ForeignManagers[] = [
  {
    who: 'Kubernetes itself',
    managers: ['kube-controller-manager', 'kube-scheduler', 'kube-apiserver', 'kubelet', 'kube-proxy'],
  },
  {
    who: 'Cloud controllers, load balancers and volumes',
    managers: [
      'cloud-controller-manager',
      '*-cloud-controller-manager',
      'aws-load-balancer-controller',
      'glbc',
      'csi-*',
      'external-provisioner',
      'external-attacher',
      'external-resizer',
      'external-snapshotter',
      'snapshot-controller',
    ],
  },
  {
    who: 'Autoscalers of pods and nodes',
    managers: [...AUTOSCALER_MANAGERS, 'cluster-autoscaler', 'karpenter', 'vertical-pod-autoscaler*'],
  },
  { who: 'cert-manager and its CA injector', managers: ['cert-manager', 'cert-manager-*', 'cainjector'] },
  {
    who: 'Progressive delivery: Argo Rollouts, Flagger',
    managers: ['rollouts-controller', 'argo-rollouts*', 'flagger'],
  },
  { who: 'Emissary-ingress', managers: ['emissary*', 'ambassador*', 'kubestatus', 'apiext'] },
  { who: 'External Secrets, ExternalDNS', managers: ['external-secrets*', 'external-dns*'] },
];

export const FOREIGN_MANAGERS: readonly string[] = KNOWN_CONTROLLERS.flatMap(({ managers }) => managers);

const CA_BUNDLE = /^f:caBundle$/;

/** Never reported or removed whoever writes them; beside status and all metadata but labels and annotations. */
export const FOREIGN_FIELDS: readonly FieldPlace[] = [
  ...SYSTEM_FIELDS,
  // Injected by whoever holds the certificate; without them nothing of that kind can be written or read.
  {
    kind: 'CustomResourceDefinition',
    path: [/^f:spec$/, /^f:conversion$/, /^f:webhook$/, /^f:clientConfig$/, CA_BUNDLE],
    shown: '/spec/conversion/webhook/clientConfig/caBundle',
  },
  {
    kind: 'ValidatingWebhookConfiguration',
    path: [/^f:webhooks$/, /^k:/, /^f:clientConfig$/, CA_BUNDLE],
    shown: '/webhooks[*]/clientConfig/caBundle',
  },
  {
    kind: 'MutatingWebhookConfiguration',
    path: [/^f:webhooks$/, /^k:/, /^f:clientConfig$/, CA_BUNDLE],
    shown: '/webhooks[*]/clientConfig/caBundle',
  },
  { kind: 'APIService', path: [/^f:spec$/, CA_BUNDLE], shown: '/spec/caBundle' },
];
