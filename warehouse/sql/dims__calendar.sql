-- Report periods seen so far, with the label printed for them and the time progress (序时进度).
SELECT
    period,
    left(period, 4)::INTEGER AS year,
    right(period, 2)::INTEGER AS month,
    CASE
        WHEN right(period, 2) = '12' THEN left(period, 4) || '年'
        WHEN right(period, 2)::INTEGER = 1 THEN left(period, 4) || '年1月'
        ELSE left(period, 4) || '年1—' || right(period, 2)::INTEGER || '月'
    END AS label_zh,
    round(100 * right(period, 2)::DOUBLE / 12, 8)::DECIMAL(28, 8) AS time_progress_pct
FROM (SELECT DISTINCT period FROM indicators.park_month)
ORDER BY period
