-- The health of a Train or TrainSchedule in Argo CD: see docs/train.md, Conditions and events.
local health = {status = "Progressing", message = "Waiting for the operator"}
local conditions = {}
if obj.status ~= nil and obj.status.conditions ~= nil then
  for _, condition in ipairs(obj.status.conditions) do
    conditions[condition.type] = condition
  end
end
local ready, stalled, suspended = conditions.Ready, conditions.Stalled, conditions.Suspended

if stalled ~= nil and stalled.status == "True" then
  health.status, health.message = "Degraded", stalled.message
elseif ready ~= nil and obj.status.observedGeneration == obj.metadata.generation then
  health.message = ready.message
  if suspended ~= nil and obj.metadata.deletionTimestamp == nil then
    -- Argo CD would wait for a Suspended resource, and count its application as unhealthy.
    health.status, health.message = "Healthy", suspended.message
  elseif ready.status == "True" then
    health.status = "Healthy"
  end
end
return health
