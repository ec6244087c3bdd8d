-- SPDX-License-Identifier: GPL-3.0-or-later
-- Items in full: of one order, one by its id, or all that wait for a review, longest waiting first.
-- $1 text order id, or null   $2 text item id, or null   $3 text state, or null   $4 int how many at most
-- rows: 0.. (id, document, version)   locks: none
select i.id, json_build_object(
    'id', i.id, 'order_id', i.order_id, 'order_number', o.number, 'position', i.position, 'template', i.template,
    'name', i.name, 'notes', i.notes, 'options', i.options, 'state', i.state, 'problem', i.problem, 'round', i.round,
    'wanted', i.wanted, 'good', i.good, 'scrapped', i.scrapped, 'owed', item_owed(i.id),
    'approved_hash', i.approved_hash, 'version', i.version,
    'updated_at', to_char(i.updated_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
    'photos', coalesce((select json_agg(json_build_object(
            'id', p.id, 'slot', p.slot, 'format', p.format, 'width', p.width, 'height', p.height,
            'sha256', p.normal_hash, 'cutout_sha256', p.cutout_hash, 'report', p.report) order by p.created_at, p.id)
        from photos p where p.item_id = i.id), '[]'),
    'tasks', coalesce((select json_agg(json_build_object(
            'id', t.id, 'round', t.round, 'provider', t.provider, 'state', t.state, 'progress', t.progress, 'seed', t.seed,
            'attempts', t.attempts, 'error', t.error, 'candidate', t.candidate, 'chosen', t.chosen, 'score', t.score,
            'credits', (select coalesce(sum(l.credits), 0) from ledger l where l.task_id = t.id),
            'provider_task', t.provider_task, 'result_sha256', t.result_hash) order by t.created_at, t.id)
        from tasks t where t.item_id = i.id), '[]'),
    'model', (select json_build_object(
            'id', m.id, 'number', m.number, 'verdict', m.verdict, 'report', m.report, 'options', m.options,
            'source_hash', m.source_hash, 'threemf_hash', m.threemf_hash, 'stl_hash', m.stl_hash,
            'renders', coalesce((select json_object_agg(substr(a.kind, 8), a.sha256)
                from artifacts a where a.item_id = i.id and a.model_id = m.id and a.kind like 'render\_%'), '{}'))
        from models m where m.id = i.model_id),
    'slice', (select json_build_object(
            'id', s.id, 'printer_class', s.printer_class, 'material', s.material, 'process', s.process, 'engine', s.engine,
            'gcode_hash', s.gcode_hash, 'print_time_s', s.print_time_s, 'filament_mm', s.filament_mm,
            'filament_g', s.filament_g, 'layer_count', s.layer_count)
        from slices s where s.item_id = i.id and s.threemf_hash = i.approved_hash
        order by (select max(r.created_at) from runs r where r.item_id = i.id and r.slice_id = s.id) desc nulls last,
                 s.created_at desc limit 1),
    'slices', coalesce((select json_agg(json_build_object(
            'id', s.id, 'printer_class', s.printer_class, 'material', s.material, 'process', s.process, 'engine', s.engine,
            'settings_hash', s.settings_hash, 'gcode_hash', s.gcode_hash, 'print_time_s', s.print_time_s,
            'filament_mm', s.filament_mm, 'filament_g', s.filament_g, 'layer_count', s.layer_count,
            'problem', s.problem, 'second_opinion', s.opinion,
            'approved', exists (select from slices a where a.item_id = i.id and a.result_id = s.id),
            'runs', (select count(*) from slices a join runs r on r.item_id = i.id and r.slice_id = a.id
                     where a.item_id = i.id and a.result_id = s.id
                     and r.state <> 'cancelled')) order by s.created_at, s.id)
        from models m join slice_results s on s.threemf_hash = m.threemf_hash where m.id = i.model_id), '[]'),
    'slicing', coalesce((select json_agg(json_build_object(
            'printer_class', c.printer_class, 'engine', c.engine, 'ahead', c.ahead, 'progress', c.share)
            order by c.printer_class, c.engine)
        from slice_claims c join jobs j on j.id = c.job_id and j.lease_token = c.lease_token where c.item_id = i.id), '[]'),
    'runs', coalesce((select json_agg(json_build_object(
            'id', r.id, 'state', r.state, 'part_code', r.part_code, 'printer_id', r.printer_id, 'progress', r.progress,
            'print_time_s', r.print_time_s, 'filament_g', r.filament_g,
            'verdict', r.verdict, 'verdict_reason', r.verdict_reason, 'verdict_by', r.verdict_by, 'reason', r.reason)
            order by r.created_at, r.id)
        from runs r where r.item_id = i.id), '[]'),
    'reviews', coalesce((select json_agg(json_build_object(
            'decision', v.decision, 'reason', v.reason, 'actor', v.actor, 'threemf_hash', v.threemf_hash,
            'at', to_char(v.created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')) order by v.id)
        from reviews v where v.item_id = i.id), '[]'),
    'artifacts', coalesce((select json_agg(json_build_object(
            'kind', a.kind, 'name', a.name, 'mime', a.mime, 'sha256', a.sha256, 'bytes', a.bytes, 'model_id', a.model_id)
            order by a.id)
        from artifacts a where a.item_id = i.id), '[]'))::text,
    i.version
from items i join orders o on o.id = i.order_id
where ($1::text is null or i.order_id = $1::text)
  and ($2::text is null or i.id = $2::text)
  and ($3::text is null or i.state = $3::text)
order by case when $1::text is null then i.updated_at end, i.position, i.id
limit $4::int;
